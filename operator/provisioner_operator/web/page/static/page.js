// Makes the pages live, and spares them reloads. Everything works without it, by links and forms.

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const dialog = $('#dialog'), help = $('#help'), region = () => $('#region');
document.documentElement.dataset.script = '';

// --- HTML from this server: parsed in an inert document, without anything that could run ---

const policy = window.trustedTypes?.createPolicy('provisioner', { createHTML: (text) => text }) ?? { createHTML: (text) => text };

function parse(text) {
  const page = new DOMParser().parseFromString(policy.createHTML(`<template>${text}</template>`), 'text/html');
  const content = $('template', page)?.content ?? page.createDocumentFragment();
  for (const each of all('script, iframe, object, embed, base, meta, style', content)) each.remove();
  for (const each of all('*', content)) {
    for (const { name, value } of [...each.attributes]) {
      if (name.startsWith('on') || /^(href|src|action|formaction)$/.test(name) && /^\s*(javascript|data|vbscript):/i.test(value)) each.removeAttribute(name);
    }
  }
  return content;
}

async function fetchPage(address, options = {}) {
  const answer = await fetch(address, { ...options, redirect: options.method === 'POST' ? 'manual' : 'follow' });
  if (new URL(answer.url || location.href).pathname === '/login') return location.assign(answer.url), null;
  return { answer, content: answer.type === 'opaqueredirect' ? null : parse(await answer.text()) };
}

// --- morphing: the present nodes are kept, with focus, selection and open rows, and only what differs is changed ---

const KEPT = new Set(['open', 'aria-expanded', 'data-cursor', 'data-new']);
const keyOf = (node) => node.dataset?.key ?? (node.id || undefined);

function morph(old, next) {
  if (old.isEqualNode(next)) return;
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  for (const { name, value } of [...next.attributes]) if (old.getAttribute(name) !== value && !KEPT.has(name)) old.setAttribute(name, value);
  if (old.matches('input, select, textarea')) return;
  if (old.hasAttribute('data-rows')) return morphRows(old, next);
  morphChildren(old, next);
}

function morphChildren(old, next) {
  const keyed = new Map([...old.children].filter(keyOf).map((each) => [keyOf(each), each]));
  let at = old.firstChild;
  for (const wanted of [...next.childNodes]) {
    const key = wanted.nodeType === 1 ? keyOf(wanted) : undefined;
    let found = key === undefined ? at : keyed.get(key) ?? null;
    if (found && key === undefined && (found.nodeType !== wanted.nodeType || found.nodeName !== wanted.nodeName || keyOf(found) !== undefined)) found = null;
    if (found && found.nodeName !== wanted.nodeName) found = null;
    if (!found) { old.insertBefore(document.adoptNode(wanted), at); continue; }
    if (found !== at) old.insertBefore(found, at); else at = at.nextSibling;
    if (found.nodeType === 1) morph(found, wanted);
    else if (found.data !== wanted.data) found.data = wanted.data;
  }
  while (at) { const rest = at.nextSibling; at.remove(); at = rest; }
}

const detailOf = (row) => row.nextElementSibling?.classList.contains('detail') ? row.nextElementSibling : null;

// Somebody points at the list or works in it: its rows stay where they are.
const isBusy = (panel) => panel.matches(':hover') || panel.contains(document.activeElement);

function morphRows(body, next) {
  const rows = new Map(all(':scope > [data-key]', body).map((row) => [row.dataset.key, row]));
  const wanted = new Set([...next.children].map((row) => row.dataset.key));
  const isLaterPage = region().hasAttribute('data-in-place');
  const stays = rows.size && (isLaterPage || !isForced && isBusy(body.closest('section')));
  const fresh = [...next.children].filter((row) => !rows.has(row.dataset.key));
  for (const [key, row] of rows) {
    const isGone = !wanted.has(key);
    row.toggleAttribute('data-gone', isGone);
    if (isGone && stays) isHeld = true;
    else if (isGone) { detailOf(row)?.remove(); row.remove(); }
  }
  let at = body.firstElementChild;
  for (const row of [...next.children]) {
    let present = rows.get(row.dataset.key);
    if (!present) {
      if (stays) continue;
      present = document.adoptNode(row);
      if (rows.size) present.dataset.new = '';
      body.insertBefore(present, at);
    } else {
      if (row.outerHTML !== shown.get(row.dataset.key)) {
        morph(present, row);
        if (detailOf(present)) fillDetail(present);
      }
      if (stays) continue;
      if (present === at) at = detailOf(present)?.nextElementSibling ?? present.nextElementSibling;
      else { const detail = detailOf(present); body.insertBefore(present, at); if (detail) body.insertBefore(detail, at); continue; }
    }
  }
  held = stays && !isLaterPage ? fresh.length : 0;
  isHeld &&= !isLaterPage;
  isHeld ||= held > 0;
}

// --- live: one stream a page, closed while nobody sees it ---

let feed, source, offline, latest, held = 0, isHeld = false, isForced = false;
const known = new Map(), shown = new Map();  // rows as the server sent them last, and as they were applied last
const ENDS = { 'signed-out': 'Signed out', forbidden: 'Access withdrawn' };
// Answers that stay the same however often one asks.
const isFinal = (answer) => answer.type === 'opaqueredirect' || answer.status >= 400 && answer.status < 500 && ![408, 425, 429].includes(answer.status);

function mark(state, text) {
  const live = $('#live');
  if (!live) return;
  live.dataset.state = state;
  $('span', live).textContent = text;
  if (text === 'Signed out') $('span', live).replaceChildren(Object.assign(document.createElement('a'), { href: `/login?next=${encodeURIComponent(location.pathname + location.search)}`, textContent: text, title: 'Sign in again' }));
  if (state === 'closed') announce(text);
  else $('#closed').hidden = true;
  if (state === 'reconnecting') offline ??= setTimeout(() => { $('#disconnected').hidden = false; announce($('#disconnected').textContent); }, 5000);
  else { clearTimeout(offline); offline = undefined; $('#disconnected').hidden = true; }
}

function connect() {
  if (!feed || source || document.hidden) return;
  source = new EventSource(feed.address());
  source.addEventListener('open', () => mark('live', feed.word));
  source.addEventListener(feed.event, (event) => feed.take(event.data));
  source.addEventListener('end', (event) => {
    if (event.data === 'shutting-down' || event.data === 'reload') return;  // it connects again by itself
    if (event.data === 'gone') return retryLater();  // the answer to that says more
    disconnect();
    if (!ENDS[event.data]) feed = undefined;  // nothing follows
    mark(ENDS[event.data] ? 'closed' : 'paused', ENDS[event.data] ?? event.data);
  });
  source.addEventListener('error', () => { mark('reconnecting', 'Reconnecting'); if (source?.readyState === EventSource.CLOSED) retryLater(); });
}

function disconnect() { source?.close(); source = undefined; }

// A stream does not say with which answer it was refused: that is asked for here.
async function retryLater() {
  disconnect();
  const asking = new AbortController();
  let pause = 3;
  try {
    const answer = await fetch(feed.address(), { headers: { Accept: 'text/event-stream' }, redirect: 'manual', signal: asking.signal });
    if (isFinal(answer)) return closeFeed(answer.type === 'opaqueredirect' ? 401 : answer.status, parse(await answer.text()));
    pause = Math.max(pause, Number(answer.headers.get('Retry-After')) || 0);
  } catch { /* The server cannot be reached. */ } finally { asking.abort(); }
  setTimeout(connect, pause * 1000);
}

function closeFeed(status, content) {
  if (status === 401) return mark('closed', 'Signed out');
  if (status !== 403) feed = undefined;  // a right may be granted again; what is gone does not come back
  const [word, title] = status === 403 ? ['Access withdrawn', 'You may not see this any more.'] : ['Gone', 'This no longer exists.'];
  mark('closed', word);
  $('#closed strong').textContent = title;
  $('#closed span').textContent = $('#main h1 + p', content)?.textContent ?? '';
  $('#closed').hidden = false;
  announce($('#closed').textContent.trim());
}

// Of a row that did not change comes a mark only, with the one text that did.
function complete(content) {
  const rows = all('[data-rows] > [data-key]', content).map((mark) => {
    if (!mark.hasAttribute('data-same')) return mark.cloneNode(true);
    const row = known.get(mark.dataset.key);
    if (mark.dataset.text !== undefined) $('[data-text]', row).textContent = mark.dataset.text;
    return row;
  });
  all('[data-rows]', content)[0]?.replaceChildren(...rows.map((row) => row.cloneNode(true)));
  known.clear();
  for (const row of rows) known.set(row.dataset.key, row);
  return content;
}

function apply(force = false) {
  const next = document.createElement('div'), before = held, wasStale = $('.stale .note');
  next.append(latest.cloneNode(true));
  const rows = all('[data-rows] > [data-key]', next).map((row) => [row.dataset.key, row.outerHTML]);
  [held, isHeld, isForced] = [0, false, force];
  const hadFocus = region().contains(document.activeElement);
  morphChildren(region(), next);
  if (hadFocus && !region().contains(document.activeElement)) $('#main').focus({ preventScroll: true });
  isForced = false;
  shown.clear();
  for (const [key, text] of rows) shown.set(key, text);
  const waiting = $('#waiting');
  if (waiting) { waiting.hidden = !held; waiting.textContent = `${held} new job${held === 1 ? '' : 's'}`; if (held && !before) announce(waiting.textContent); }
  dress();
  reportEnds();
  if ($('.stale .note') && !wasStale) announce($('.stale strong').textContent);
}

// What waited while somebody worked in the list comes once nobody does.
const settle = () => { if (isHeld && !isBusy($('[data-rows]').closest('section'))) apply(); };
for (const event of ['mouseover', 'focusin']) document.addEventListener(event, settle);

document.addEventListener('visibilitychange', () => { if (!feed) return; if (document.hidden) { disconnect(); mark('paused', 'Paused'); } else connect(); });
addEventListener('pagehide', disconnect);
addEventListener('pageshow', connect);

// --- one polite voice, at most a sentence a second ---

const sentences = [];
function announce(text) { if (sentences.push(text) === 1) speak(); }
function speak() { $('#announcer').textContent = sentences[0]; setTimeout(() => { sentences.shift(); if (sentences.length) speak(); }, 1000); }

function toast(text) {
  const note = document.createElement('p');
  note.textContent = text;
  $('#toasts').append(note);
  announce(text);
  setTimeout(() => note.remove(), 6000);
}

// --- the end of what was canceled here, also where it has left the list meanwhile ---

const awaited = new Map();  // names by the addresses of their pages
const ENDED = ['Completed', 'Failed', 'Canceled'];
let nextLook;

function phaseHere(path) {
  const row = all('tr.row:not([data-gone])').find((each) => $('a[data-expand]', each)?.pathname === path);
  return row?.dataset.phase ?? (location.pathname === path ? $('#detail')?.dataset.phase : undefined);
}

function reportEnd(path, phase) {
  if (!ENDED.includes(phase) || !awaited.has(path)) return;
  toast(`${awaited.get(path)} is ${phase}`);
  awaited.delete(path);
}

// At each change those that are shown here; every three seconds the others.
function reportEnds() {
  for (const path of [...awaited.keys()]) reportEnd(path, phaseHere(path));
  if (awaited.size) nextLook ??= setTimeout(lookElsewhere, 3000);
}

async function lookElsewhere() {
  for (const path of [...awaited.keys()].filter((each) => !phaseHere(each))) {
    const answer = await fetch(path, { redirect: 'manual' }).catch(() => undefined);
    if (answer?.status === 404) toast(`${awaited.get(path)} no longer exists`);
    if (answer && isFinal(answer)) awaited.delete(path);
    if (answer?.ok) reportEnd(path, $('#detail', parse(await answer.text()))?.dataset.phase);
  }
  nextLook = undefined;
  reportEnds();
}

// --- times: counted here, so that the server sends nothing while only time passes ---

const ahead = Number(document.body.dataset.now) * 1000 - Date.now();
const AGES = [[604800, 'w'], [86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
const ago = (age) => { const [size, name] = AGES.find(([each]) => age >= each) ?? [1, 's']; return `${Math.floor(age / size)}${name} ago`; };
const two = (count, name, rest, smaller, most) => rest && count < most ? `${count}${name} ${rest}${smaller}` : `${count}${name}`;
function span(whole) {
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return two(Math.floor(whole / 60), 'm', whole % 60, 's', 10);
  if (whole < 86400) return two(Math.floor(whole / 3600), 'h', Math.floor(whole % 3600 / 60), 'm', 24);
  return two(Math.floor(whole / 86400), 'd', Math.floor(whole % 86400 / 3600), 'h', 8);
}

function tick(within = document) {
  const now = Date.now() + ahead;
  for (const each of all('time[data-ago]', within)) {
    const age = Math.floor((now - Date.parse(each.dateTime)) / 1000);
    setText(each, age < 0 ? `in ${span(-age)}` : age ? ago(age) : 'just now');
  }
  for (const each of all('[data-since]', within)) setText(each, span(Math.max(0, Math.floor(now / 1000 - each.dataset.since))));
}
function setText(node, text) { if (node.textContent !== text) node.textContent = text; }

function dress() {
  for (const link of all('a[data-expand]')) link.setAttribute('aria-expanded', String(!!detailOf(link.closest('tr'))));
  countSelected();
  tick();
}

// --- expanded rows ---

async function expand(row) {
  const link = $('a[data-expand]', row), open = detailOf(row);
  if (open) open.remove();
  else {
    const detail = document.createElement('tr'), cell = detail.insertCell();
    detail.className = 'detail';
    detail.setAttribute('role', 'row');
    cell.setAttribute('role', 'cell');
    cell.className = 'full';
    cell.colSpan = row.cells.length;
    const bones = document.createElement('div');
    bones.className = 'bones';
    bones.setAttribute('aria-label', 'Loading');
    for (let i = 0; i < 5; i++) bones.append(Object.assign(document.createElement('span'), { className: 'bone' }));
    if ($('.reason', row)?.title) cell.append(Object.assign(document.createElement('p'), { className: 'pad lead', textContent: $('.reason', row).title }));
    cell.append(bones);
    row.after(detail);
    await fillDetail(row);
  }
  link.setAttribute('aria-expanded', String(!open));
}

async function fillDetail(row) {
  const cell = detailOf(row).cells[0];
  try {
    const page = await fetchPage($('a[data-expand]', row).href);
    const next = document.createElement('td');
    const box = next.appendChild(Object.assign(document.createElement('div'), { className: 'pad' }));
    box.append($('#region', page.content) ?? $('#main > *', page.content));
    for (const each of all('[id]', box)) each.id = `${each.id}-${row.dataset.key}`;
    for (const each of all('[aria-describedby]', box)) each.setAttribute('aria-describedby', `${each.getAttribute('aria-describedby')}-${row.dataset.key}`);
    for (const each of all('[data-live]', box)) each.removeAttribute('data-live');
    morphChildren(cell, next);
    dress();
  } catch { cell.textContent = 'The details could not be loaded. Collapse and expand the row to try again.'; }
}

// --- dialogs: the forms of other pages, without leaving this one ---

async function ask(address) {
  try {
    const page = await fetchPage(address);
    if (page) show(page.content);
  } catch { toast('The server cannot be reached.'); }
}

function show(content) {
  const form = $('form[data-dialog-content]', content);
  dialog.replaceChildren(...(form ? [form] : [...($('#main', content)?.childNodes ?? ['The server refused this.']), closeButton()]));
  dialog.setAttribute('aria-label', $('h1', dialog)?.textContent ?? 'Problem');
  if (!dialog.open) dialog.showModal();
  ($('input:not([type=hidden], [type=checkbox])', dialog) ?? $('button:not([data-close])', dialog))?.focus();
}

function closeButton() {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Close' });
  button.dataset.close = '';
  return button;
}

async function send(form) {
  const button = $('button:not([type=button])', form), body = new URLSearchParams(new FormData(form));
  button.setAttribute('aria-disabled', 'true');
  try {
    const page = await fetchPage(form.action, { method: 'POST', body });
    if (page?.content) return show(page.content);
    dialog.close();
    toast(form.dataset.done);
    if (form.dataset.job) { awaited.set(new URL(form.action).pathname.replace(/\/[^/]*$/, ''), form.dataset.job); reportEnds(); }
  } catch { toast('The server cannot be reached: nothing was changed.'); }
  finally { button.removeAttribute('aria-disabled'); }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.matches('[data-filters]')) for (const each of all('input, select', form)) each.disabled = !each.value;
  if (!form.matches('#dialog form')) return;
  event.preventDefault();
  if ($('[aria-disabled=true]', form) === null) send(form);
});

function countSelected() {
  const button = $('[data-bulk]'), count = all('input[name=job]:checked').length;
  if (!button) return;
  button.textContent = count ? `Cancel ${count} selected…` : 'Cancel selected…';
  button.disabled = !count;
}

document.addEventListener('change', (event) => {
  if (event.target.name === 'job') countSelected();
  if (event.target.id === 'keys-on') localStorage.setItem('keys', event.target.checked ? 'on' : 'off');
});

document.addEventListener('click', (event) => {
  const on = (selector) => event.target.closest(selector);
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (on('[data-expand]')) { event.preventDefault(); expand(on('tr')); }
  else if (on('a[data-dialog]')) { event.preventDefault(); ask(on('a').href); }
  else if (on('[data-bulk]')) { event.preventDefault(); const form = $('#bulk'); ask(`${form.action}?${new URLSearchParams(new FormData(form))}`); }
  else if (on('[aria-disabled=true]')) { event.preventDefault(); const text = $(`#${CSS.escape(on('[aria-disabled]').getAttribute('aria-describedby') ?? '')}`)?.textContent; if (text) toast(text); }
  else if (on('dialog [data-close]')) { event.preventDefault(); on('dialog').close(); }
  else if (on('[data-help]')) help.showModal();
  else if (on('#waiting')) { apply(true); $('[data-new] a[data-expand]')?.focus(); }
  else if (on('[data-copy]')) navigator.clipboard.writeText(on('[data-copy]').dataset.copy).then(() => toast('Copied'), () => toast('The browser does not allow copying here.'));
  for (const menu of all('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
});

// --- keyboard ---

const keysOn = () => localStorage.getItem('keys') !== 'off';
function cursor() { const at = document.activeElement; return $('tr[data-cursor]') ?? at.closest('tr.row') ?? at.closest('tr.detail')?.previousElementSibling; }

function move(step) {
  const rows = all('tr.row'), at = rows.indexOf(cursor());
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  if (!row) return;
  for (const each of all('tr[data-cursor]')) each.removeAttribute('data-cursor');
  row.dataset.cursor = '';
  ($('a[data-expand]', row) ?? $('a', row)).focus();
  row.scrollIntoView({ block: 'nearest' });
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') { for (const each of all('details.menu[open]')) each.open = false; if (!dialog.open && !help.open) { cursor()?.removeAttribute('data-cursor'); if (event.target.closest('tr.row, input')) event.target.blur(); } return; }
  if (!keysOn() || event.ctrlKey || event.metaKey || event.altKey || dialog.open || help.open || event.target.matches('input:not([type=checkbox]), select, textarea')) return;
  const press = (selector) => { const within = cursor() ?? $('#detail'); if (within) $(selector, within)?.click(); };
  const does = { '/': () => $('[data-search]')?.focus(), j: () => move(1), k: () => move(-1), l: () => press('[data-log]'), c: () => press('[data-cancel]'), r: () => press('[data-retry]'), '?': () => help.showModal() };
  if (event.key === 'Enter' && event.target.matches('tr.row')) press('[data-expand]');
  else if (does[event.key]) { event.preventDefault(); does[event.key](); }
});

// --- log: follows only while its end is in view ---

function followLog() {
  const log = $('#log');
  if (!log) return;
  const end = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.scrollTop = log.scrollHeight;
  $('#wrap')?.addEventListener('change', (event) => log.classList.toggle('nowrap', !event.target.checked));
  if (!log.dataset.follow) return;
  const most = Math.max(5000, log.children.length);
  // Drawn once a frame: a layout for each of thousands of lines would take minutes.
  const arrived = document.createDocumentFragment();
  let frame;
  const draw = () => {
    frame = undefined;
    const isAtEnd = end();
    log.append(arrived);
    if (!isAtEnd) return;  // Somebody reads further up: nothing may move or go.
    while (log.children.length > most) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  };
  const address = () => {
    draw();
    const next = new URL(log.dataset.follow, location.href);
    if (log.lastElementChild) next.searchParams.set('after', log.lastElementChild.dataset.line);
    return next;
  };
  feed = { address, word: 'Following', event: 'lines', take: (text) => { arrived.append(parse(text)); frame ??= requestAnimationFrame(draw); } };
}

if (region()?.hasAttribute('data-live')) feed = { address: () => location.href, word: 'Live', event: 'view', take: (text) => { latest = complete(parse(text)); apply(); } };
followLog();
if ($('#keys-on')) $('#keys-on').checked = keysOn();
if ($('[data-notice]')) { announce($('[data-notice]').textContent.trim()); history.replaceState(null, '', location.href.replace(/([?&])notice=[^&]*&?/, '$1').replace(/[?&]$/, '')); }
setInterval(tick, 1000);
dress();
connect();
