-- A module that the scripts here share; it is no script itself.
return { double = function(n) return n * 2 end }
