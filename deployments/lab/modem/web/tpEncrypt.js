// The envelope of the JSON dialect. `$.variant` (cbc, gcm, oaep) is the firmware's.
(function ($) {
  'use strict';
  var KEPT = 'encryptor';

  function digits() {
    return (Date.now() + '' + Math.random() * 1000000000).substr(0, 16);
  }

  function random(length) {
    var out = [];
    for (var i = 0; i < length; i += 1) { out.push(Math.floor(Math.random() * 256)); }
    return $.bytes.toBase64(out);
  }

  $.Iencryptor = {
    aesKey: '', aesIv: '', hash: '', seq: 0, nn: '', ee: '',

    genAESKey: function () {
      var gcm = $.variant !== 'cbc';
      this.aesKey = gcm ? random(16) : digits();
      this.aesIv = gcm ? random(12) : digits();
    },
    setHash: function (user, password) {
      this.hash = $.bytes.toHex($.md5($.bytes.ofText(user + password)));
    },
    setSeq: function (seq) { this.seq = Number(seq); },
    setRSAKey: function (nn, ee) { this.nn = nn; this.ee = ee; },

    raw: function (text) {
      return $.variant === 'cbc' ? $.bytes.ofText(text) : $.bytes.ofBase64(text);
    },
    signature: function (length, isLogin) {
      var text = 'h=' + this.hash + '&s=' + (this.seq + length);
      if (isLogin) { text = 'key=' + this.aesKey + '&iv=' + this.aesIv + '&' + text; }
      return $.variant === 'oaep' ? $.rsa.encryptOAEP(text, this.nn, this.ee)
        : $.rsa.encrypt(text, this.nn, this.ee);
    },
    AESEncrypt: function (plain, isLogin) {
      var key = this.raw(this.aesKey), iv = this.raw(this.aesIv), bytes = $.bytes.ofText(plain);
      if ($.variant === 'cbc') {
        var data = $.bytes.toBase64($.aes.encryptCbc(key, iv, bytes));
        return { data: data, sign: this.signature(data.length, isLogin) };
      }
      var made = $.aes.encryptGcm(key, iv, bytes), text = $.bytes.toBase64(made.cipher);
      return {
        data: text, sign: this.signature(text.length, isLogin), tag: $.bytes.toBase64(made.tag)
      };
    },
    AESDecrypt: function (answer) {
      var key = this.raw(this.aesKey), iv = this.raw(this.aesIv);
      if ($.variant === 'cbc') {
        return $.bytes.toText($.aes.decryptCbc(key, iv, $.bytes.ofBase64(answer)));
      }
      var cipher = $.bytes.ofBase64(answer.slice(0, -24));
      var tag = $.bytes.ofBase64(answer.slice(-24));
      return $.bytes.toText($.aes.decryptGcm(key, iv, cipher, tag));
    },

    // The key survives a reload of this tab, and of this tab only.
    record: function () { sessionStorage.setItem(KEPT, JSON.stringify(this)); },
    restore: function () {
      var kept = sessionStorage.getItem(KEPT);
      if (kept) { $.extend(this, JSON.parse(kept)); }
    },
    forget: function () { sessionStorage.removeItem(KEPT); }
  };
  $.Iencryptor.restore();
})(jQuery);
