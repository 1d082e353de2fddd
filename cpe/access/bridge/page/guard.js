// Runs before the page's own scripts, in every frame: what may leave is listed, the rest does not.
//
// An encrypted request says nothing about itself, so its plaintext is judged where the page encrypts
// it, and only a ciphertext that was judged harmless may be sent, once. A page that encrypts where
// this does not see it can therefore send nothing at all.
(rules) => {
  'use strict';
  const REFUSED = 'https://refused.invalid/';
  const LOGIN = '/cgi/login';
  const LOGIN_KEPT = 'bridge-login';
  const verbs = new Set(rules.verbs), actions = new Set(rules.actions);
  const calls = new Set(rules.calls), never = new Set(rules.never);
  const sealed = new Set(rules.sealed), open = new Set(rules.open);
  const approved = new Set();
  const seen = { hooked: false, refused: [], login: false, code: null };

  const loggedInBefore = () => {
    try {
      return seen.login || sessionStorage.getItem(LOGIN_KEPT) !== null;
    } catch (problem) {
      return seen.login;
    }
  };
  const keepLogin = () => {
    seen.login = true;
    try {
      sessionStorage.setItem(LOGIN_KEPT, '1');
    } catch (problem) { /* a page without storage: this document's memory must do */ }
  };

  // '' for what may be sent, else what it was, by names only.
  const objection = (plain) => {
    let wish;
    try {
      wish = JSON.parse(String(plain).replace(/\0+$/, ''));
    } catch (problem) {
      return 'unreadable';
    }
    const verb = String(wish && wish.operation), oid = String(wish && wish.oid);
    if (verb === 'cgi' && oid === LOGIN) {
      if (loggedInBefore()) { return 'second login'; }
      keepLogin();
      return '';
    }
    if (verb === 'cgi' && calls.has(oid)) { return ''; }
    if (verb === 'op' && actions.has(oid)) { return ''; }
    if (verbs.has(verb) && /^[A-Z0-9_]+$/.test(oid) && !never.has(oid)) { return ''; }
    return `${verb} ${oid}`;
  };
  const refuse = (what) => {
    if (seen.refused.length < 20) { seen.refused.push(what.replace(/[^\w\/ -]/g, '?').slice(0, 60)); }
  };

  // -- what the page encrypts

  const watchEncrypt = (inner) => function (plain, ...rest) {
    const why = objection(plain);
    const made = inner.call(this, plain, ...rest);
    const cipher = typeof made === 'string' ? made : made && made.data;
    if (why) {
      refuse(why);
    } else if (typeof cipher === 'string' && cipher) {
      approved.add(cipher);
    }
    return made;
  };
  const watchDecrypt = (inner) => function (...given) {
    const plain = inner.apply(this, given);
    if (seen.login && seen.code === null) {
      const match = /\$\.ret\s*=\s*(\d+)|"errorcode"\s*:\s*(\d+)/.exec(String(plain));
      if (match) { seen.code = Number(match[1] || match[2]); }
    }
    return plain;
  };

  // Sees each value that is ever given to holder[name].
  const trap = (holder, name, onValue) => {
    let value = holder[name];
    const take = (given) => { value = onValue(given); };
    if (value !== undefined) { take(value); }
    Object.defineProperty(holder, name, {
      configurable: true, enumerable: true, get: () => value, set: take
    });
  };
  const hookEncryptor = (encryptor) => {
    if (encryptor && (typeof encryptor === 'object' || typeof encryptor === 'function')) {
      try {
        trap(encryptor, 'AESEncrypt', (inner) => {
          if (typeof inner !== 'function' || hooks.has(inner)) { return inner; }
          seen.hooked = true;
          return mark(watchEncrypt(inner));
        });
        trap(encryptor, 'AESDecrypt', (inner) => (
          typeof inner !== 'function' || hooks.has(inner) ? inner : mark(watchDecrypt(inner))
        ));
      } catch (problem) { /* frozen: not watched, so nothing it makes is approved */ }
    }
    return encryptor;
  };
  const hooks = new WeakSet();
  const mark = (made) => { hooks.add(made); return made; };
  const libraries = new WeakSet();
  const hookLibrary = (library) => {
    if (typeof library === 'function' && !libraries.has(library)) {
      libraries.add(library);
      trap(library, 'Iencryptor', hookEncryptor);
    }
    return library;
  };
  trap(window, 'jQuery', hookLibrary);
  trap(window, '$', hookLibrary);

  // -- what the page sends

  const mayGo = (method, url, body) => {
    let target;
    try {
      target = new URL(url, location.href);
    } catch (problem) {
      return false;
    }
    if (target.origin !== location.origin) { return false; }
    const verb = String(method || 'GET').toUpperCase();
    if (verb === 'GET' || verb === 'HEAD') { return !target.pathname.startsWith('/cgi'); }
    if (verb !== 'POST') { return false; }
    if (open.has(target.pathname)) { return !body; }
    if (!sealed.has(target.pathname)) { refuse(`${verb} ${target.pathname}`); }
    if (!sealed.has(target.pathname) || typeof body !== 'string') { return false; }
    const match = /(?:^|[\n&])data=([^\r\n&]*)/.exec(body);
    if (match === null) { return false; }
    return approved.delete(match[1]) || approved.delete(decodeURIComponent(match[1]));
  };

  const asked = new WeakMap();
  const { open: openRequest, send: sendRequest } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, async = true, ...rest) {
    asked.set(this, { method, url: String(url) });
    return openRequest.call(this, method, url, async, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    const wish = asked.get(this) || { method: 'POST', url: REFUSED };
    if (mayGo(wish.method, wish.url, body)) { return sendRequest.call(this, body); }
    openRequest.call(this, 'POST', REFUSED, true);  // fails as a network does, for the page's sake
    return sendRequest.call(this, null);
  };
  const fetchIt = window.fetch;
  window.fetch = function (input, options = {}) {
    const plain = typeof input === 'string' || input instanceof URL;
    if (plain && mayGo(options.method, input, options.body)) {
      return fetchIt.call(this, input, options);
    }
    return Promise.reject(new TypeError('refused'));
  };
  navigator.sendBeacon = () => false;
  HTMLFormElement.prototype.submit = () => {};
  HTMLFormElement.prototype.requestSubmit = () => {};
  addEventListener('submit', (event) => event.preventDefault(), true);
  ['WebSocket', 'EventSource', 'WebTransport', 'RTCPeerConnection', 'Worker', 'SharedWorker']
    .forEach((name) => { delete window[name]; });

  Object.defineProperty(window, '__bridge', {
    value: () => ({ ...seen, login: loggedInBefore(), refused: seen.refused.slice() })
  });
}
