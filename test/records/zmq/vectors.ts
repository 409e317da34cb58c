/** Whole messages, made for the tests and checked with libzmq and nDPI's own deserializer: header and payload in hexadecimal, or text. */
export const VECTORS = {
  jsonNumbers: {
    header: '666c6f7700000000000000000000000002003e01000000010a0b0c0d',
    payload: Buffer.from(
      '{"8":"192.0.2.10","12":"198.51.100.20","7":51514,"11":443,"4":6,"60":4,"6":27,"1":2345,"2":12,"23":45678,"24":34,"22":1700000000,"21":1700000009,"10":3,"14":5,"61":1,"58":100,"59":100,"130":"203.0.113.1","57590":"91.126","57595":11.25,"57596":3.5,"57550":27,"57551":27,"57660":"www.example.com","35632.59999":"custom"}',
    ),
  },
  jsonLabels: {
    header: '666c6f770000000000000000000000000207ce0200000002',
    payload: Buffer.from(
      '[{"IPV4_SRC_ADDR":"192.0.2.11","IPV4_DST_ADDR":"198.51.100.53","L4_SRC_PORT":40000,"L4_DST_PORT":53,"PROTOCOL":17,"IP_PROTOCOL_VERSION":4,"IN_BYTES":74,"IN_PKTS":1,"OUT_BYTES":170,"OUT_PKTS":1,"FIRST_SWITCHED":1700000001,"LAST_SWITCHED":1700000001,"L7_PROTO":"5.126","DNS_QUERY":"www.example.com","DNS_QUERY_TYPE":1,"DNS_RET_CODE":0},{"IPV6_SRC_ADDR":"2001:db8::10","IPV6_DST_ADDR":"2001:db8:1::20","L4_SRC_PORT":51000,"L4_DST_PORT":80,"PROTOCOL":6,"IP_PROTOCOL_VERSION":6,"IN_BYTES":900,"IN_PKTS":6,"OUT_BYTES":5200,"OUT_PKTS":7,"FIRST_SWITCHED":1700000002,"LAST_SWITCHED":1700000003,"CLIENT_TCP_FLAGS":27,"SERVER_TCP_FLAGS":27,"L7_PROTO":7,"HTTP_SITE":"www.example.com","HTTP_URL":"/index.html","HTTP_RET_CODE":200}]',
    ),
  },
  compressedAfterNul: {
    header: '666c6f7700000000000000000000000002005400000000030a0b0c0d',
    payload: Buffer.from(
      '00789c4d8b3b0ec0300c42efc21c59c1757ebe5a95bb97284b3d8078861713092eb76a6e7414480e99d668acc2141cc8586cae37912e0f642fe80a21' +
        '8854b540534a1fe40971edc051efa9ebfce7fd0132651850',
      'hex',
    ),
  },
  tlvNumbers: {
    header: '666c6f77000000000000000000000000040200007700000077000000000000040a0b0c0d',
    payload: Buffer.from(
      '01012b08000a3139322e302e322e31302b0c000d3139382e35312e3130302e323028070000c93a270b01bb22040626061b2301092922020c2417b2d0' +
        '5e002418002625a024166553f10024156553f1093be0f6000639312e3132363ae0fb000034413be13c000f7777772e6578616d706c652e636f6d01',
      'hex',
    ),
  },
  tlvLabels: {
    header: '666c6f770000000000000000000000000300bf00000000050a0b0c0d',
    payload: Buffer.from(
      '0101bb000d495056345f5352435f4144445200093139322e302e322e31bb000d495056345f4453545f4144445200093139322e302e322e32b2000850' +
        '524f544f434f4c01b20008494e5f425954455362b20007494e5f504b54530101bb000d495056345f5352435f4144445200093139322e302e322e33bb' +
        '000d495056345f4453545f4144445200093139322e302e322e34b2000850524f544f434f4c2fb50008494e5f42595445530000000100000005b40007' +
        '494e5f504b545300011170',
      'hex',
    ),
  },
  event: {
    header: '6576656e7400000000000000000000000404000054030000aa010000000000060a0b0c0d',
    payload: Buffer.from(
      '789c6d5241929c300cfc8bcf2c851960216fd8437ee0f280485c636c2fb637b399e2ef916ca6a06ac209b5a496bae5070b6a01f683bf57e9e355c1ae' +
        'df013c42f5a569bbf77e289893e30d0262197a02625aad43147bd42c47a4793023898e41f8cd59c1bc0398908aa8b1c861860f75599575d9b20d7956' +
        '7b4d6d2e5eb51a45aaa8ab0b56707e2907f6d254b0181552b2d11a1fd6380698de12cd1bdf93c2c40567767d3374bce105fb82d52b6b88a72afbb2c2' +
        '3aebf7453f94897704703a184fc8048b4500261572d3cf95e2452a13c048433a192d2fbf7ed1ea57b2a0cff6a14847e180bf5841deda18a84aab1976' +
        'ab6bb262d2f8dbe1df68b50652218e928e9a77731f0ceeceae417c468820e6a875723c582b1669bec5aced9f7c04d0b7149deee253ec6e4178b9380d' +
        'a754caecd351e83353bf66e2e484b7e78bf3eda52a1d7fc60bceeafedca94d8ee41df2fc3cfac44dd27068d5b6c52e148f455cc72be0149231424b1f' +
        '12f7f1602b7c9e786f91871c5e10662024f43f3b51fa101c8d427751635c4710f4bc9a7adb50e3dfe533e9c2eac49437c4a66618facc8225e2b438df' +
        'b67fc9181448',
      'hex',
    ),
  },
  flatEvent: {
    header: '6576656e7400000000000000000000000000000000000000000000000000000000000000b3000000',
    payload: Buffer.from(
      '{"if.name":"eth0","if.speed":1000,"if.ip":"192.0.2.6","probe.ip":"192.0.2.6","probe.public_ip":"203.0.113.9","bytes":1000,"packets":10,"avg.bps":800,"avg.pps":1,"time":1700000011}',
    ),
  },
  template: {
    header: '74656d706c617465000000000000000002003501000000070a0b0c0d',
    payload: Buffer.from(
      '[{"PEN":0,"field":8,"len":4,"format":"ipv4_address","name":"IPV4_SRC_ADDR","descr":"Source address"},{"PEN":35632,"field":57595,"len":4,"format":"uint","name":"CLIENT_NW_LATENCY_MS","descr":"Client-side delay"},{"PEN":35632,"field":59999,"len":16,"format":"ascii","name":"MY_CUSTOM","descr":"A custom field"}]',
    ),
  },
  option: {
    header: '6f7074696f6e0000000000000000000002003f00000000080a0b0c0d',
    payload: Buffer.from('{"PEN":35632,"field":57590,"value":250,"map":{"name":"my_app"}}'),
  },
  counter: {
    header: '636f756e746572000000000000000000040200006400000064000000000000090a0b0c0d',
    payload: Buffer.from(
      '01012b00000b3230332e302e3131332e312201112202032b03000867652d302f302f33220406250500000002540be4002b06000446756c6c2b070002' +
        '55702b080002557025090000000200000000240a000dbba0220b00230c0309220d07220e00220f02',
      'hex',
    ),
  },
  versionOne: {
    header: '666c6f770000000000000000000000000103670002010000',
    payload: Buffer.from('{"8":"192.0.2.13","12":"192.0.2.14","4":6,"7":1234,"11":80,"1":1,"2":1,"22":1700000000,"21":1700000000}'),
  },
} as const;

/** Bodies without header. */
export const COUNTER_JSON =
  '{"deviceIP":"203.0.113.1","samplesGenerated":17,"ifIndex":3,"ifName":"ge-0/0/3","ifType":6,"ifSpeed":"10000000000","ifDirection":"Full","ifAdminStatus":"Up","ifOperStatus":"Up","ifInOctets":8589934592,"ifInPackets":900000,"ifInErrors":0,"ifOutOctets":777,"ifOutPackets":7,"ifOutErrors":0,"ifPromiscuousMode":2}';
export const LISTENING_PORTS =
  '{"ip-addresses":["192.0.2.5","2001:db8::5"],"listening-ports":{"tcp4":[{"port":22,"proc":"sshd","pkg":"openssh-server"}],"udp4":[{"port":53,"proc":"named","pkg":"bind9"}],"tcp6":[],"udp6":[]},"instance-name":"constructed-probe"}';
export const SNMP_INTERFACES = '{"203.0.113.1":{"3":"ge-0/0/3","5":"ge-0/0/5"}}';
export const AGENT =
  '{"timestamp":"1700000012.500000000","IPV4_LOCAL_ADDR":"192.0.2.20","IPV4_REMOTE_ADDR":"198.51.100.30","L4_LOCAL_PORT":42000,"L4_REMOTE_PORT":5432,"PROTOCOL":6,"INTERFACE_NAME":"eth0","LOCAL_PROCESS":{"PID":4242,"UID":1000,"UID_NAME":"app","GID":1000,"VM_SIZE":20480,"VM_PEAK":40960,"PROCESS_PATH":"/usr/bin/app"},"LOCAL_FATHER_PROCESS":{"PID":1,"UID":0,"UID_NAME":"root","GID":0,"PROCESS_PATH":"/sbin/init"},"LOCAL_CONTAINER":{"ID":"0123456789ab","DOCKER":{"NAME":"web"}},"TCP_EVENT_TYPE":"CONNECT","TCP":{"CONN_STATE":"ESTABLISHED","SEGS_IN":10,"SEGS_OUT":12,"UNACK_SEGMENTS":0,"RETRAN_PKTS":1,"LOST_PKTS":0,"RTT":1.5,"RTT_VARIANCE":0.25,"BYTES_RCVD":9000,"BYTES_ACKED":1200}}';
