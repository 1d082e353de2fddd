// Answers in the modem's own notation: `var name="value";` lines and `$.ret=N;`.
(function ($) {
  'use strict';
  $.variables = function (text) {
    var found = {};
    var pattern = /var\s+(\w+)\s*=\s*(?:"([^"]*)"|([^;]*));/g;
    for (var match = pattern.exec(text); match; match = pattern.exec(text)) {
      found[match[1]] = match[2] !== undefined ? match[2] : match[3].trim();
    }
    return found;
  };

  $.returned = function (text) {
    var match = /\$\.ret\s*=\s*(\d+)/.exec(text);
    return match ? Number(match[1]) : null;
  };
})(jQuery);
