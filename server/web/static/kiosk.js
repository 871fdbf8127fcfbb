/* The tablet's page never leaves its address: whatever it shows is put into <main>, so that no history,
   no restored form and no error page of the browser is there for the next one. ES5. */
(function (d, w) {
  var POLL = w.EventSource ? 20000 : 3000, WARN = 20, main = d.getElementById('main');
  var touched = 0, ends = 0, turn = 0, sending = false, pressed = null, source = null, heard = 0, again = 0;

  function now() { return new Date().getTime(); }
  function call(method, address, body, then) {
    var x = new XMLHttpRequest(), told = false;
    function tell() { if (!told) { told = true; then(x.status ? x : null); } }
    x.open(method, address);
    x.timeout = 8000;
    if (body !== null) x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    x.onload = x.onerror = x.ontimeout = x.onabort = tell;
    try { x.send(body); } catch (e) { setTimeout(tell, 0); }
  }
  function screen() { return main.getAttribute('data-screen'); }
  function number(name) { return +(main.getAttribute(name) || 0); }
  function begin() {
    touched = now();
    ends = number('data-left') ? touched + number('data-left') * 1000 + 500 : 0;
    pressed = null;
    var heading = main.getElementsByTagName('h1')[0];
    if (heading) { heading.tabIndex = -1; heading.focus(); }
    w.scrollTo(0, 0);
  }
  function put(fresh) {
    main.parentNode.replaceChild(fresh, main);
    main = fresh;
    begin();
  }
  function show(x) {
    var page = new DOMParser().parseFromString(x.responseText, 'text/html'), fresh = page.getElementById('main');
    if (!fresh) return false;
    put(d.importNode(fresh, true));
    return true;
  }
  // What a citizen left is taken away even if nobody can be asked what to show instead.
  function blank() {
    var fresh = main.cloneNode(false);
    fresh.innerHTML = d.getElementById('away').innerHTML;
    fresh.setAttribute('data-screen', '');
    fresh.removeAttribute('data-left');
    fresh.removeAttribute('data-idle');
    put(fresh);
  }
  function offline(is) { d.getElementById('offline').hidden = !is; }
  function load(mine) {
    call('GET', '/kiosk', null, function (x) {
      if (mine === turn && !(x && x.status < 500 && show(x))) blank();
    });
  }
  // `must`: the time of what is shown is over.
  function look(must) {
    var mine = turn;
    if (sending) return;
    call('GET', '/kiosk/state', null, function (x) {
      var name = null;
      if (mine !== turn || sending) return;
      if (x && x.status === 403) name = 'off';
      else if (x && x.status === 200) {
        try { name = JSON.parse(x.responseText).screen; } catch (e) { name = null; }
      }
      offline(!name);
      if (name && name !== screen()) { turn++; load(turn); }
      else if (!name && must) { turn++; blank(); }
      else if (must) ends = now() + 1000;
    });
  }
  function trouble(text) {
    var place = d.getElementById('trouble');
    if (!place) return;
    place.hidden = !text;
    if (place.textContent !== text) place.textContent = text;
  }
  function post(address, body, failed) {
    if (sending) return;
    sending = true;
    turn++;
    call('POST', address, body, function (x) {
      sending = false;
      offline(!x);
      if (!x || x.status >= 500 || !show(x)) failed();
    });
  }
  function encoded(form, button) {
    var parts = [], all = form.elements, i, e;
    function add(name, value) { parts.push(encodeURIComponent(name) + '=' + encodeURIComponent(value)); }
    for (i = 0; i < all.length; i++) {
      e = all[i];
      if (!e.name || e.disabled || /^(submit|button)$/.test(e.type)) continue;
      if (/^(radio|checkbox)$/.test(e.type) && !e.checked) continue;
      add(e.name, e.value);
    }
    if (button && button.name) add(button.name, button.value);
    return parts.join('&');
  }
  function leave() {
    var ask = main.querySelector('[name=ask]'), body = 'ask=' + (ask ? encodeURIComponent(ask.value) : '');
    post('/kiosk/done', body, blank);
  }
  function tick() {
    var idle = number('data-idle'), rest = idle - Math.floor((now() - touched) / 1000);
    if (idle && rest <= 0) leave();
    else if (idle && rest <= WARN) trouble('没有操作，' + rest + ' 秒后清空并返回。按一下屏幕可以继续。');
    if (ends && now() > ends) { ends = 0; look(true); }
    if (w.EventSource && screen() !== 'off' && now() - heard > 40000 && now() > again) listen();
  }
  function listen() {
    if (source) source.close();
    again = now() + 5000 + Math.random() * 5000;
    source = new EventSource('/kiosk/events');
    source.onopen = source.onmessage = function () { heard = now(); look(); };
    source.addEventListener('beat', function () { heard = now(); });
    // A proxy's error page ends the stream for good; a lost line is taken up by the browser itself.
    source.onerror = function () { if (source.readyState === 2) heard = 0; };
  }
  function touch() {
    if (now() - touched > 1000 && number('data-idle')) trouble('');
    touched = now();
  }

  d.addEventListener('click', function (e) {
    var at = e.target;
    while (at && at !== d && at.nodeName !== 'BUTTON') at = at.parentNode;
    pressed = at && at.nodeName === 'BUTTON' ? at : null;
    at = e.target;
    if (at.nodeName !== 'A') return;
    if (at.hash && d.getElementById(at.hash.slice(1))) {
      e.preventDefault();
      d.getElementById(at.hash.slice(1)).focus();
    } else if (at.pathname === '/kiosk') {
      e.preventDefault();
      turn++;
      load(turn);
    }
  }, true);
  d.addEventListener('submit', function (e) {
    var form = e.target, button = pressed;
    e.preventDefault();
    post(button && button.getAttribute('formaction') || form.getAttribute('action'), encoded(form, button), function () {
      if (d.getElementById('trouble')) trouble('网络不通，没有提交成功。您填的还在，请稍等再按一次。');
      else blank();
    });
  });
  ['touchstart', 'mousedown', 'keydown', 'input', 'scroll'].forEach(function (name) {
    d.addEventListener(name, touch, true);
  });
  w.addEventListener('pageshow', function (e) { if (e.persisted) w.location.reload(); });
  begin();
  if (w.EventSource) { heard = now(); listen(); }
  setInterval(tick, 1000);
  setInterval(function () { look(); }, POLL);
})(document, window);
