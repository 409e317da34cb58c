-- Its functions are global.
return require('lua_utils')
