// AES-128 in CBC (PKCS7) and GCM (96-bit nonce), byte by byte.
(function ($) {
  'use strict';
  var SBOX = [], INVERSE = [];

  function times2(byte) {
    return ((byte << 1) ^ (byte & 0x80 ? 0x11b : 0)) & 255;
  }

  function times(a, b) {
    var product = 0;
    for (; b; b >>= 1) {
      if (b & 1) { product ^= a; }
      a = times2(a);
    }
    return product;
  }

  (function fill() {
    var p = 1, q = 1;
    function turned(byte, by) { return ((byte << by) | (byte >> (8 - by))) & 255; }
    do {
      p = p ^ times2(p);
      q ^= q << 1; q ^= q << 2; q ^= q << 4; q &= 255;
      if (q & 0x80) { q ^= 0x09; }
      SBOX[p] = q ^ turned(q, 1) ^ turned(q, 2) ^ turned(q, 3) ^ turned(q, 4) ^ 0x63;
    } while (p !== 1);
    SBOX[0] = 0x63;
    for (var i = 0; i < 256; i += 1) { INVERSE[SBOX[i]] = i; }
  })();

  var MULTIPLES = {};
  [2, 3, 9, 11, 13, 14].forEach(function (factor) {
    MULTIPLES[factor] = [];
    for (var i = 0; i < 256; i += 1) { MULTIPLES[factor].push(times(i, factor)); }
  });

  function expand(key) {
    var words = key.slice(), constant = 1;
    for (var i = 16; i < 176; i += 4) {
      var last = words.slice(i - 4, i);
      if (i % 16 === 0) {
        last = [SBOX[last[1]] ^ constant, SBOX[last[2]], SBOX[last[3]], SBOX[last[0]]];
        constant = times2(constant);
      }
      for (var j = 0; j < 4; j += 1) { words.push(words[i - 16 + j] ^ last[j]); }
    }
    return words;
  }

  function addKey(state, words, round) {
    for (var i = 0; i < 16; i += 1) { state[i] ^= words[16 * round + i]; }
  }

  function mix(state, a, b, c, d) {
    var A = MULTIPLES[a], B = MULTIPLES[b], C = MULTIPLES[c], D = MULTIPLES[d];
    for (var i = 0; i < 16; i += 4) {
      var w = state[i], x = state[i + 1], y = state[i + 2], z = state[i + 3];
      state[i] = A[w] ^ B[x] ^ C[y] ^ D[z];
      state[i + 1] = D[w] ^ A[x] ^ B[y] ^ C[z];
      state[i + 2] = C[w] ^ D[x] ^ A[y] ^ B[z];
      state[i + 3] = B[w] ^ C[x] ^ D[y] ^ A[z];
    }
  }
  MULTIPLES[1] = SBOX.map(function (_, i) { return i; });

  function encryptBlock(words, block) {
    var state = block.slice();
    addKey(state, words, 0);
    for (var round = 1; round <= 10; round += 1) {
      var next = [];
      for (var i = 0; i < 16; i += 1) { next.push(SBOX[state[(i + 4 * (i % 4)) % 16]]); }
      state = next;
      if (round < 10) { mix(state, 2, 3, 1, 1); }
      addKey(state, words, round);
    }
    return state;
  }

  function decryptBlock(words, block) {
    var state = block.slice();
    addKey(state, words, 10);
    for (var round = 9; round >= 0; round -= 1) {
      var next = [];
      for (var i = 0; i < 16; i += 1) { next[(i + 4 * (i % 4)) % 16] = INVERSE[state[i]]; }
      state = next;
      addKey(state, words, round);
      if (round > 0) { mix(state, 14, 11, 13, 9); }
    }
    return state;
  }

  function xor(one, other) {
    return one.map(function (byte, i) { return byte ^ other[i]; });
  }

  function encryptCbc(key, iv, plain) {
    var words = expand(key), fill = 16 - plain.length % 16, out = [], last = iv;
    var message = plain.slice();
    for (var i = 0; i < fill; i += 1) { message.push(fill); }
    for (var at = 0; at < message.length; at += 16) {
      last = encryptBlock(words, xor(message.slice(at, at + 16), last));
      Array.prototype.push.apply(out, last);
    }
    return out;
  }

  function decryptCbc(key, iv, cipher) {
    var words = expand(key), out = [], last = iv;
    for (var at = 0; at < cipher.length; at += 16) {
      var block = cipher.slice(at, at + 16);
      Array.prototype.push.apply(out, xor(decryptBlock(words, block), last));
      last = block;
    }
    return out.slice(0, out.length - out[out.length - 1]);
  }

  // GHASH on four 32-bit words, the most significant first.
  function ghash(h, bytes) {
    var y = [0, 0, 0, 0];
    for (var at = 0; at < bytes.length; at += 16) {
      for (var w = 0; w < 4; w += 1) {
        var p = at + 4 * w;
        y[w] ^= (bytes[p] << 24) | (bytes[p + 1] << 16) | (bytes[p + 2] << 8) | bytes[p + 3];
      }
      var v = h.slice(), z = [0, 0, 0, 0];
      for (var bit = 0; bit < 128; bit += 1) {
        if ((y[bit >> 5] >>> (31 - bit % 32)) & 1) {
          z[0] ^= v[0]; z[1] ^= v[1]; z[2] ^= v[2]; z[3] ^= v[3];
        }
        var odd = v[3] & 1;
        v[3] = (v[3] >>> 1) | (v[2] << 31);
        v[2] = (v[2] >>> 1) | (v[1] << 31);
        v[1] = (v[1] >>> 1) | (v[0] << 31);
        v[0] = v[0] >>> 1;
        if (odd) { v[0] ^= 0xe1000000; }
      }
      y = z;
    }
    return y;
  }

  function wordsOf(block) {
    var words = [];
    for (var i = 0; i < 16; i += 4) {
      words.push((block[i] << 24) | (block[i + 1] << 16) | (block[i + 2] << 8) | block[i + 3]);
    }
    return words;
  }

  function bytesOf(words) {
    var out = [];
    words.forEach(function (word) {
      out.push(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
    });
    return out;
  }

  function counter(words, nonce, plain) {
    var out = [];
    for (var block = 0; 16 * block < plain.length; block += 1) {
      var stream = encryptBlock(words, nonce.concat(bytesOf([block + 2])));
      var part = plain.slice(16 * block, 16 * block + 16);
      Array.prototype.push.apply(out, xor(part, stream));
    }
    return out;
  }

  function tagOf(words, nonce, cipher) {
    var message = cipher.slice();
    while (message.length % 16) { message.push(0); }
    message = message.concat(bytesOf([0, 0, 0, cipher.length * 8]));
    var zero = encryptBlock(words, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    var hash = bytesOf(ghash(wordsOf(zero), message));
    return xor(hash, encryptBlock(words, nonce.concat([0, 0, 0, 1])));
  }

  $.aes = {
    encryptCbc: encryptCbc,
    decryptCbc: decryptCbc,
    encryptGcm: function (key, nonce, plain) {
      var words = expand(key), cipher = counter(words, nonce, plain);
      return { cipher: cipher, tag: tagOf(words, nonce, cipher) };
    },
    decryptGcm: function (key, nonce, cipher, tag) {
      var words = expand(key);
      if ($.bytes.toHex(tagOf(words, nonce, cipher)) !== $.bytes.toHex(tag)) {
        throw new Error('bad tag');
      }
      return counter(words, nonce, cipher);
    }
  };
})(jQuery);
