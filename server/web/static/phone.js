/* New messages come by themselves, without touching what is being typed. ES5. */
(function (d) {
  var list = d.getElementById('bubbles');
  function last() { list.scrollTop = list.scrollHeight; }
  function show(page) {
    var fresh = new DOMParser().parseFromString(page, 'text/html').getElementById('bubbles');
    var rows = fresh ? fresh.children : [], i, changed = false;
    if (!fresh) return;
    for (i = 0; i < rows.length || i < list.children.length; i++) {
      if (!rows[i]) { list.removeChild(list.children[i]); i--; changed = true; }
      else if (!list.children[i]) { list.appendChild(d.importNode(rows[i], true)); changed = true; }
      else if (list.children[i].innerHTML !== rows[i].innerHTML || list.children[i].className !== rows[i].className) {
        list.replaceChild(d.importNode(rows[i], true), list.children[i]);
        changed = true;
      }
    }
    if (changed) last();
  }
  function look() {
    var call = new XMLHttpRequest();
    call.open('GET', d.getElementById('again').href);
    call.timeout = 5000;
    call.onload = function () { if (call.status === 200) show(call.responseText); };
    call.onloadend = function () { setTimeout(look, 1500); };
    call.send();
  }
  last();
  setTimeout(look, 1000);
})(document);
