-- The name under which scripts often require JSON.
return require('json')
