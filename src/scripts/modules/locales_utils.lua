-- Texts in the user's language.
local i18n = require('i18n')
return { i18n = i18n, getLocale = function() return 'en' end }
