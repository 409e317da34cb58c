-- Numbers of the statuses.
return require('flow_keys')
