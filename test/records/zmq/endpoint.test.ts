import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isZmqInterface, parseZmqEndpoints, type ZmqEndpoint } from '../../../src/records/zmq/endpoint.ts';

describe('what is understood', () => {
  const tcp = (host: string, port: number, bind = false, text?: string): Partial<ZmqEndpoint> => ({
    transport: 'tcp',
    host,
    port,
    bind,
    ...(text && { text }),
  });
  const ipc = (path: string, bind = false): Partial<ZmqEndpoint> => ({ transport: 'ipc', path, bind });
  const cases: [string, Partial<ZmqEndpoint>[]][] = [
    ['tcp://127.0.0.1:5556', [tcp('127.0.0.1', 5556)]],
    ['zmq://probe.example:5556', [tcp('probe.example', 5556)]],
    ['tcp://*:5556c', [tcp('*', 5556, true)]],
    ['tcp://[::1]:5556', [tcp('::1', 5556)]],
    ['tcp://[::]:5556c', [tcp('::', 5556, true)]],
    ['office@tcp://127.0.0.1:5556', [tcp('127.0.0.1', 5556, false, 'tcp://127.0.0.1:5556')]],
    ['a@b@tcp://127.0.0.1:1', [tcp('127.0.0.1', 1)]],
    ['tcp://a:1c,tcp://b:2, tcp://c:3', [tcp('a', 1, true), tcp('b', 2), tcp('c', 3)]],
    ['ipc:///run/probe.sock', [ipc('/run/probe.sock')]],
    ['ipc:///run/probe.sockc', [ipc('/run/probe.sock', true)]],
    ['ipc:///run/probe.ipc', [ipc('/run/probe.ipc')]],
    ['ipc:///run/probe.ipcc', [ipc('/run/probe.ipc', true)]],
    ['ipc://@probe', [ipc('@probe')]],
    ['tcp://a:1?curve', [{ ...tcp('a', 1), curve: true }]],
    ['tcp://a:1?password-file=/etc/pw=1&sampling=ignore', [{ ...tcp('a', 1), passwordFile: '/etc/pw=1', ignoreSampling: true }]],
    ['tcp://a:1?curve&sampling=apply,tcp://b:2', [{ ...tcp('a', 1), curve: true }, tcp('b', 2)]],
    ['tcp://*:1c?curve=/etc/key=1', [{ ...tcp('*', 1, true), curve: { keyFile: '/etc/key=1' } }]],
  ];
  for (const [text, expected] of cases) {
    test(text, () => {
      const endpoints = parseZmqEndpoints(text);
      assert.equal(endpoints.length, expected.length);
      for (const [i, endpoint] of endpoints.entries()) assert.partialDeepStrictEqual(endpoint, expected[i]);
      assert.equal('curve' in endpoints[0], text.includes('?curve'));
      assert.ok(isZmqInterface(text));
    });
  }
});

describe('what is not understood says why', () => {
  const cases: [string, RegExp][] = [
    ['', /an empty endpoint: not a scheme/],
    ['tcp://a:1,', /an empty endpoint/],
    ['eth0', /not a scheme/],
    ['udp://a:1', /udp:\/\/ is not spoken here/],
    ['tcp://a', /not a host and a port/],
    ['tcp://::1:5556', /not a host and a port/],
    ['tcp://[::x]:5556', /"\[::x\]" is no host/],
    ['tcp://:5556', /"" is no host/],
    ['tcp://1.2.3:5556', /"1\.2\.3" is no host/],
    ['tcp://a:x', /"x" is no port/],
    ['tcp://a:0', /"0" is no port/],
    ['tcp://a:65536', /"65536" is no port/],
    ['tcp://*:5556', /nobody can connect to \*/],
    ['ipc://', /no path/],
    ['tcp://a:1?crypt', /"crypt" is not understood: there are curve/],
    ['tcp://a:1?curve=', /nothing after it/],
    ['tcp://a:1?password-file', /"password-file" is not understood/],
    ['tcp://a:1?curve&sampling=maybe', /"sampling=maybe" is not understood/],
    ['tcp://a:1,tcp://a:1', /given twice/],
    [Array.from({ length: 33 }, (_, i) => `tcp://a:${i + 1}`).join(','), /33 endpoints/],
  ];
  for (const [text, message] of cases) test(text.slice(0, 40) || 'nothing', () => assert.throws(() => parseZmqEndpoints(text), message));
});

test('other interfaces are left to others', () => {
  for (const text of ['eth0', 'trace.pcap', 'netflow://0.0.0.0:2055', 'dir/tcp.pcap']) assert.equal(isZmqInterface(text), false);
});
