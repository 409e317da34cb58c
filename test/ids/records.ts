/** EVE records for tests. */

/** One line of eve.json: an alert, with members changed; undefined takes one away. */
export const eve = (changes: object = {}, alert: object = {}): string =>
  JSON.stringify({
    timestamp: '2024-01-02T03:04:05.678901+0200',
    flow_id: 586497171462735,
    in_iface: 'eth0',
    event_type: 'alert',
    src_ip: '192.0.2.1',
    src_port: 1025,
    dest_ip: '198.51.100.2',
    dest_port: 80,
    proto: 'TCP',
    app_proto: 'http',
    alert: {
      action: 'allowed',
      gid: 1,
      signature_id: 2000001,
      rev: 3,
      signature: 'EXAMPLE login from abroad',
      category: 'Attempted Login',
      severity: 1,
      metadata: { created_at: ['2024_01_01'] },
      ...alert,
    },
    ...changes,
  });
