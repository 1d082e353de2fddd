// Text, bytes, base64 and hex. Byte strings are arrays of numbers.
(function ($) {
  'use strict';
  $.bytes = {
    ofText: function (text) {
      var binary = unescape(encodeURIComponent(text));
      return Array.prototype.map.call(binary, function (c) { return c.charCodeAt(0); });
    },
    toText: function (bytes) {
      return decodeURIComponent(escape($.bytes.toBinary(bytes)));
    },
    toBinary: function (bytes) {
      var text = '';
      for (var i = 0; i < bytes.length; i += 1) {
        text += String.fromCharCode(bytes[i]);
      }
      return text;
    },
    ofBase64: function (text) {
      var binary = atob(text), bytes = new Array(binary.length);
      for (var i = 0; i < binary.length; i += 1) {
        bytes[i] = binary.charCodeAt(i);
      }
      return bytes;
    },
    toBase64: function (bytes) {
      return btoa($.bytes.toBinary(bytes));
    },
    toHex: function (bytes) {
      return bytes.map(function (b) { return (b + 256).toString(16).slice(1); }).join('');
    }
  };
})(jQuery);
