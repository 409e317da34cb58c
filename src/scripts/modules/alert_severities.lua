-- The severities alone.
return require('alert_consts').alert_severities
