// The little of jQuery that the page uses: a lookup, ajax, extend. Written for the lab.
(function (window) {
  'use strict';
  function $(selector) {
    return document.querySelector(selector);
  }

  $.extend = function (target) {
    for (var i = 1; i < arguments.length; i += 1) {
      for (var name in arguments[i]) {
        target[name] = arguments[i][name];
      }
    }
    return target;
  };

  $.ajax = function (options) {
    var request = new XMLHttpRequest();
    request.open(options.type || 'GET', options.url, true);
    request.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
    request.setRequestHeader('Accept', 'text/plain, */*; q=0.01');
    for (var name in options.headers || {}) {
      request.setRequestHeader(name, options.headers[name]);
    }
    request.onload = function () {
      if (request.status === 200) {
        options.success(request.responseText);
      } else {
        options.error({ kind: 'http', status: request.status });
      }
    };
    request.onerror = function () {
      options.error({ kind: 'network', status: 0 });
    };
    request.send(options.data === undefined ? null : options.data);
  };

  window.jQuery = window.$ = $;
})(window);
