/** What every answer says about itself: what a browser may do with it. Nothing inline, nothing from elsewhere, in nobody's frame. */

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-dns-prefetch-control': 'off',
};

/** @param strict the certificate is one that browsers trust: they may insist on it from now on */
export function securityHeaders(strict: boolean): (headers: Headers) => void {
  const all = Object.entries({ ...HEADERS, ...(strict ? { 'strict-transport-security': 'max-age=31536000' } : {}) });
  return (headers) => {
    for (const [name, value] of all) headers.set(name, value);
    // what says nothing about it is about people's traffic
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  };
}
