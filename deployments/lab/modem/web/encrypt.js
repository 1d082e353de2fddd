// RSA: raw blocks padded with NUL, or OAEP with SHA-1 in 22-byte blocks (a 512-bit key has 64).
(function ($) {
  'use strict';
  function power(base, exponent, modulus) {
    var result = 1n;
    for (base %= modulus; exponent > 0n; exponent >>= 1n) {
      if (exponent & 1n) { result = result * base % modulus; }
      base = base * base % modulus;
    }
    return result;
  }

  function hexOf(block, nn, ee) {
    var message = BigInt('0x' + $.bytes.toHex(block));
    var cipher = power(message, BigInt('0x' + ee), BigInt('0x' + nn)).toString(16);
    return '0'.repeat(nn.length - cipher.length) + cipher;
  }

  function mask(seed, length) {
    var out = [];
    for (var i = 0; out.length < length; i += 1) {
      out = out.concat($.sha1(seed.concat([0, 0, 0, i])));
    }
    return out.slice(0, length);
  }

  function xor(one, other) {
    return one.map(function (byte, i) { return byte ^ other[i]; });
  }

  function oaep(block, size) {
    var data = $.sha1([]), seed = [];
    while (data.length < size - 22 - block.length) { data.push(0); }
    data = data.concat([1], block);
    for (var i = 0; i < 20; i += 1) { seed.push(Math.floor(Math.random() * 256)); }
    var masked = xor(data, mask(seed, data.length));
    return [0].concat(xor(seed, mask(masked, 20)), masked);
  }

  $.rsa = {
    encrypt: function (text, nn, ee) {
      var bytes = $.bytes.ofText(text), size = nn.length / 2, out = '';
      for (var at = 0; at < bytes.length; at += size) {
        var block = bytes.slice(at, at + size);
        while (block.length < size) { block.push(0); }
        out += hexOf(block, nn, ee);
      }
      return out;
    },
    encryptOAEP: function (text, nn, ee) {
      var bytes = $.bytes.ofText(text), size = nn.length / 2, step = size - 42, out = '';
      for (var at = 0; at < bytes.length; at += step) {
        out += hexOf(oaep(bytes.slice(at, at + step), size), nn, ee);
      }
      return out;
    }
  };
})(jQuery);
