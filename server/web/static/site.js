/* Conveniences only: every page works without. ES5. */
(function (d) {
  var sent = 0, link = d.getElementById('large');
  // A double click sends once; whoever waits longer means it.
  d.addEventListener('submit', function (e) {
    if (Date.now() - sent < 2000) e.preventDefault();
    else sent = Date.now();
  });
  // Large type without losing what was typed.
  link.addEventListener('click', function (e) {
    var call = new XMLHttpRequest(), large = d.body.classList.toggle('large'), other = link.getAttribute('data-other');
    e.preventDefault();
    call.open('GET', link.href);
    call.send();
    link.setAttribute('data-other', link.textContent);
    link.textContent = other;
    link.href = link.href.replace(/large=.$/, 'large=' + (large ? 0 : 1));
  });
})(document);
