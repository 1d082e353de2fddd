// `$.dm`: the page's data model. One object a request, one request at a time.
(function ($) {
  'use strict';
  var NOWHERE = '0,0,0,0,0,0';
  var waiting = [], busy = false;

  function envelope(plain, isLogin) {
    var made = $.Iencryptor.AESEncrypt(plain, isLogin);
    var body = 'sign=' + made.sign + '\r\ndata=' + made.data + '\r\n';
    return made.tag ? body + 'tag=' + made.tag + '\r\n' : body;
  }

  function next() {
    if (busy || !waiting.length) { return; }
    busy = true;
    var job = waiting.shift();
    function done(how, what) {
      busy = false;
      if (job.callback[how]) { job.callback[how](what); }
      next();
    }
    $.ajax({
      url: '/cgi_gdpr?9',
      type: 'POST',
      headers: { 'Content-Type': 'text/plain', TokenID: String($.tokenid || 0) },
      data: envelope(JSON.stringify(job.request) + '\r\n', job.isLogin),
      success: function (answered) {
        var plain = '', text = answered.replace(/\0+$/, '');
        try {
          plain = text ? $.Iencryptor.AESDecrypt(text) : '';
        } catch (problem) {
          return done('error', { kind: 'decrypt', status: 200 });
        }
        if (job.request.operation === 'cgi') {
          return done('success', plain);
        }
        var answer;
        try {
          answer = JSON.parse(plain);
        } catch (problem) {
          return done('error', { kind: 'parse', status: 200 });
        }
        return answer.success ? done('success', answer.data) : done('fail', answer.errorcode);
      },
      error: function (problem) { done('error', problem); }
    });
  }

  function ask(operation) {
    return function (options) {
      var data = $.extend({ stack: NOWHERE, pstack: NOWHERE }, options.data || {});
      waiting.push({
        request: { data: data, operation: operation, oid: options.oid },
        callback: options.callback || {},
        isLogin: options.oid === '/cgi/login'
      });
      next();
    };
  }

  $.dm = {
    get: ask('go'), getList: ask('gl'), getSubList: ask('gs'),
    set: ask('so'), add: ask('ao'), del: ask('do'), op: ask('op'), cgi: ask('cgi')
  };
})(jQuery);
