// The login form, and the frame that is shown to whoever is logged in.
(function ($) {
  'use strict';
  $.tokenid = window.token || 0;

  function say(selector, text) {
    $(selector).textContent = text;
    $(selector).style.display = text ? 'block' : 'none';
  }

  function base64(text) {
    return $.bytes.toBase64($.bytes.ofText(text));
  }

  function login(password, parameters) {
    var crypt = $.Iencryptor;
    crypt.setRSAKey(parameters.nn, parameters.ee);
    crypt.setSeq(parameters.seq);
    crypt.genAESKey();
    crypt.setHash('user', password);
    $.dm.cgi({
      oid: '/cgi/login',
      data: { UserName: base64('user'), Passwd: base64(password), Action: '1' },
      callback: {
        success: function (text) {
          if ($.returned(text) === 0) {
            crypt.record();
            location.replace('/');
          } else {
            say('.errorContent', 'Incorrect password.');
          }
        },
        error: function () { say('.errorContent', 'No answer.'); }
      }
    });
  }

  function begin(password) {
    $.ajax({
      url: '/cgi/getGDPRParm', type: 'POST',
      success: function (text) {
        var parameters = $.variables(text);
        if (!parameters.nn) { return again(password); }
        return login(password, parameters);
      },
      error: function () { again(password); }
    });
  }

  var tries = 0;
  function again(password) {
    tries += 1;
    if (tries > 5) { say('.errorContent', 'No answer.'); return; }
    setTimeout(function () { begin(password); }, 700);
  }

  function press() {
    var password = $('#pc-login-password').value;
    tries = 0;
    say('.errorContent', '');
    $.ajax({
      url: '/cgi/getBusy', type: 'POST',
      success: function (text) {
        if ($.variables(text).isLogined === '1') {
          $('#alert-container').style.display = 'block';
          $('#confirm-yes').onclick = function () {
            $('#alert-container').style.display = 'none';
            begin(password);
          };
        } else {
          begin(password);
        }
      },
      error: function () { begin(password); }
    });
  }

  function leave() {
    $.dm.cgi({
      oid: '/cgi/logout',
      callback: { success: gone, error: gone }
    });
  }

  function gone() {
    $.Iencryptor.forget();
    location.replace('/');
  }

  document.addEventListener('DOMContentLoaded', function () {
    if ($('#pc-login-btn')) {
      $('#pc-login-btn').onclick = press;
      return;
    }
    $('#topLogout').onclick = leave;
    $('#topReboot').onclick = function () { $.dm.op({ oid: 'ACT_REBOOT' }); };
    $.dm.get({
      oid: 'DEV2_DEV_INFO',
      callback: { success: function (info) { $('#model').textContent = info.modelName; } }
    });
  });
})(jQuery);
