// MD5 (the login hash) and SHA-1 (OAEP): a page that is no secure context has no WebCrypto.
(function ($) {
  'use strict';
  function rotate(word, by) {
    return (word << by) | (word >>> (32 - by));
  }

  function padded(bytes, bigEndian) {
    var message = bytes.concat([0x80]), bits = bytes.length * 8, length = [];
    while (message.length % 64 !== 56) {
      message.push(0);
    }
    for (var i = 0; i < 8; i += 1) {
      length.push(i < 4 ? (bits >>> (8 * i)) & 255 : 0);
    }
    return message.concat(bigEndian ? length.reverse() : length);
  }

  var SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  var SINES = [];
  for (var n = 0; n < 64; n += 1) {
    SINES.push(Math.floor(Math.abs(Math.sin(n + 1)) * 4294967296) | 0);
  }

  $.md5 = function (bytes) {
    var state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
    var message = padded(bytes, false);
    for (var at = 0; at < message.length; at += 64) {
      var a = state[0], b = state[1], c = state[2], d = state[3];
      for (var i = 0; i < 64; i += 1) {
        var round = i >> 4, mixed, index;
        if (round === 0) { mixed = (b & c) | (~b & d); index = i; }
        else if (round === 1) { mixed = (d & b) | (~d & c); index = (5 * i + 1) % 16; }
        else if (round === 2) { mixed = b ^ c ^ d; index = (3 * i + 5) % 16; }
        else { mixed = c ^ (b | ~d); index = (7 * i) % 16; }
        var p = at + 4 * index;
        var word = message[p] | (message[p + 1] << 8) | (message[p + 2] << 16) |
          (message[p + 3] << 24);
        var turned = rotate((a + mixed + SINES[i] + word) | 0, SHIFTS[round][i % 4]);
        a = d; d = c; c = b; b = (b + turned) | 0;
      }
      state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0];
    }
    var out = [];
    state.forEach(function (word) {
      out.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
    });
    return out;
  };

  $.sha1 = function (bytes) {
    var state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];
    var message = padded(bytes, true);
    for (var at = 0; at < message.length; at += 64) {
      var words = [];
      for (var w = 0; w < 80; w += 1) {
        var p = at + 4 * w;
        words.push(w < 16
          ? (message[p] << 24) | (message[p + 1] << 16) | (message[p + 2] << 8) | message[p + 3]
          : rotate(words[w - 3] ^ words[w - 8] ^ words[w - 14] ^ words[w - 16], 1));
      }
      var a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
      for (var i = 0; i < 80; i += 1) {
        var mixed, constant;
        if (i < 20) { mixed = (b & c) | (~b & d); constant = 0x5a827999; }
        else if (i < 40) { mixed = b ^ c ^ d; constant = 0x6ed9eba1; }
        else if (i < 60) { mixed = (b & c) | (b & d) | (c & d); constant = 0x8f1bbcdc; }
        else { mixed = b ^ c ^ d; constant = 0xca62c1d6; }
        var next = (rotate(a, 5) + mixed + e + constant + words[i]) | 0;
        e = d; d = c; c = rotate(b, 30); b = a; a = next;
      }
      state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0,
        (state[4] + e) | 0];
    }
    var out = [];
    state.forEach(function (word) {
      out.push(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
    });
    return out;
  };
})(jQuery);
