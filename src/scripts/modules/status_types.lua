-- The statuses alone.
return require('flow_consts').status_types
