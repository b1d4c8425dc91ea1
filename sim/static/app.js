'use strict';
// The page of the simulated world: draws the state that /_events sends and plays people by /_act.

const $ = id => document.getElementById(id);
let world = null, me = sessionStorage.getItem('me') || '', place = '', here = '', customer = 0; // place: the channel that a person chose; here: the one that is shown
const cards = new Map(); // message id + person -> {json, element}
const open = new Set();  // keys of <details> that a person opened
const drawnAs = {};      // what each part of the page was last drawn from

const clock = t => new Date(t).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false});
const person = key => world.teams.people.find(p => p.key === key);
const first = name => name.split(' ')[0];

async function act(what) {
  try {
    const r = await fetch('/_act', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(what)});
    return await r.json();
  } catch {
    return {error: 'The simulated world does not answer.'};
  }
}

// pill is a small coloured label.
const pill = (text, kind) => el('span', 'pill ' + (kind || ''), text);

// Teams

function drawWho() {
  if (!me || !person(me)) me = world.teams.people[0].key;
  if ($('who').querySelectorAll('input').length === world.teams.people.length) return;
  $('who').querySelectorAll('label').forEach(l => l.remove());
  for (const p of world.teams.people) {
    const radio = document.createElement('input');
    radio.type = 'radio';
    radio.name = 'me';
    radio.value = p.key;
    radio.checked = p.key === me;
    radio.addEventListener('change', () => { me = p.key; sessionStorage.setItem('me', me); place = place.startsWith('a:') ? '' : place; draw(); });
    $('who').append(el('label', '', radio, el('span', '', first(p.name))));
  }
}

function tabs(into, entries, current, choose) {
  into.replaceChildren(...entries.map(({key, name, count}) => {
    const b = el('button', 'tab', name, count ? pill(String(count)) : null);
    b.setAttribute('aria-current', String(key === current));
    b.addEventListener('click', () => { choose(key); draw(); });
    return b;
  }));
}

function drawTeams() {
  const t = world.teams, chat = (t.chats || []).find(c => c.person === me);
  const entries = t.channels.map(c => ({key: c.id, name: '# ' + c.name, count: c.messages.filter(m => m.root === m.id && !m.deleted).length}));
  entries.push({key: 'a:', name: 'Chat with ResponseHub', count: chat ? chat.messages.length : 0});
  // Until a person chooses, the channel in which something was posted last is shown.
  const latest = t.channels.flatMap(c => c.messages.map(m => ({at: m.at, id: c.id}))).reduce((a, b) => (a && a.at >= b.at ? a : b), null);
  here = entries.some(e => e.key === place) ? place : latest ? latest.id : entries[0].key;
  tabs($('channels'), entries, here, key => { place = key; });
  const channel = here === 'a:' ? chat : t.channels.find(c => c.id === here);
  const list = channel ? channel.messages : [];
  const roots = list.filter(m => m.root === m.id).reverse(); // newest thread on top
  const drawn = roots.map(m => el('article', 'thread', drawMessage(m), ...list.filter(r => r.root === m.id && r.id !== m.id).map(r => el('div', 'reply', drawMessage(r)))));
  if (!drawn.length) {
    const why = t.installed ? 'Nothing here yet. A card appears when the hub reports an incident.' : 'The app is not in the team.';
    drawn.push(el('div', 'empty', el('p', '', why)));
  }
  $('messages').replaceChildren(...drawn);
}

function drawMessage(m) {
  const bot = m.from === 'bot', who = bot ? 'ResponseHub' : (person(m.from) || {name: m.from}).name;
  const avatar = el('span', 'avatar' + (bot ? ' bot' : ''), bot ? 'R' : who.slice(0, 1));
  avatar.setAttribute('aria-hidden', 'true');
  const head = el('p', 'head', el('strong', '', who), bot ? pill('App') : null, el('time', 'soft', clock(m.at)),
    m.edits ? el('span', 'soft', 'Edited · ' + clock(m.edited[m.edited.length - 1])) : null);
  const body = el('div', 'message', head);
  if (m.deleted) body.append(el('p', 'soft', 'This message was deleted.'));
  else if (m.text) { const p = el('p', 'text'); words(p, m.text); body.append(p); }
  const mine = m.views && m.views[me], card = mine || m.card;
  if (card && !m.deleted) {
    if (mine) head.append(el('span', 'soft', 'only you see this version'));
    body.append(drawnCard(m.id, card));
    const n = world.teams.notices && world.teams.notices[me];
    if (n && n.activity === m.id) {
      const line = el('p', 'notice ' + n.level, n.text);
      line.setAttribute('role', 'status');
      body.append(line);
    }
  }
  return el('div', 'row', avatar, body);
}

// drawnCard keeps the element while the card is the same, and with it what a person has typed.
function drawnCard(id, card) {
  const key = id + ' ' + me, json = JSON.stringify(card), old = cards.get(key);
  if (old && old.json === json) return old.element;
  const element = drawCard(card, (action, pointer, inputs, button) => press(id, action, pointer, inputs, button));
  cards.set(key, {json, element});
  return element;
}

async function press(id, action, pointer, inputs, button) {
  button.classList.add('busy');
  button.disabled = true;
  const seen = await act({do: 'click', person: me, activity: id, pointer, title: action.title || '', inputs});
  button.classList.remove('busy');
  button.disabled = action.isEnabled === false;
  if (seen.dialog) showDialog(id, seen.title, seen.card);
  else if (seen.error) showDialog(id, 'That did not work', null, seen.error);
  else if (seen.type === 'message' && seen.message) showDialog(id, 'ResponseHub', null, seen.message);
}

function showDialog(id, title, card, message) {
  $('dialog-title').textContent = title || 'ResponseHub';
  const body = message ? el('p', 'text', message) : drawCard(card, async (action, _, inputs, button) => {
    button.disabled = true;
    const seen = await act({do: 'submit', person: me, activity: id, data: Object.assign({}, action.data, inputs)});
    if (seen.dialog) showDialog(id, seen.title, seen.card);
    else if (seen.message || seen.error) showDialog(id, 'ResponseHub', null, seen.message || seen.error);
    else $('dialog').close();
  });
  $('dialog-body').replaceChildren(body);
  if (!$('dialog').open) $('dialog').showModal();
}

// Microsoft 365

function row(name, small, ...pills) {
  return el('li', 'item', el('div', 'what', el('span', 'name', name), small ? el('span', 'soft', small) : null), el('div', 'pills', ...pills));
}

function panel(title, rows, none) {
  return el('div', 'panel', el('h2', '', title), rows.length ? el('ul', 'items', ...rows) : el('p', 'soft', none || 'None'));
}

function details(key, title, ...inside) {
  const d = el('details', '', el('summary', '', title), ...inside);
  d.open = open.has(key);
  d.addEventListener('toggle', () => { d.open ? open.add(key) : open.delete(key); });
  return d;
}

function drawTenant() {
  const t = world.microsoft.tenants.find(t => t.id === world.scenes[customer].tenant_id), s = world.scenes[customer];
  tabs($('tenants'), world.scenes.map((s, i) => ({key: i, name: world.microsoft.tenants.find(t => t.id === s.tenant_id).name})), customer, i => { customer = i; });
  const users = (t.users || []).slice(0, 40), victim = t.users.find(u => u.id === s.victim);
  $('tenant').replaceChildren(
    panel('Accounts', users.map(u => account(u, s))),
    panel('The phish: “' + s.phish_subject + '”', phish(users, s), 'In no mailbox'),
    panel('Inbox rules of ' + victim.display_name, ((victim.mailbox && victim.mailbox.rules) || []).filter(r => !r.read_only).map(r => rule(r, s))),
    panel('Apps and connectors', apps(t, s)),
    el('div', 'panel', el('h2', '', 'Mailboxes'), ...users.filter(u => u.mailbox).map(u => mailbox(u, s))),
  );
}

function account(u, s) {
  const taken = u.id === s.victim, fresh = t => new Date(t) > new Date(Date.now() - 6 * 3600e3);
  const notes = [u.user_principal_name];
  if (fresh(u.sign_in_sessions_valid_from)) notes.push('signed out everywhere ' + clock(u.sign_in_sessions_valid_from));
  if (fresh(u.last_password_change)) notes.push('password changed ' + clock(u.last_password_change));
  return row(u.display_name, notes.join(' · '),
    taken ? pill('taken over', 'bad') : null, u.on_premises_sync_enabled ? pill('from Active Directory') : null,
    (u.roles || []).length ? pill('admin') : null, u.user_type === 'Guest' ? pill('guest') : null,
    u.account_enabled ? pill('can sign in', taken ? 'bad' : 'ok') : pill(u.shared_mailbox ? 'shared, no sign-in' : 'blocked', u.shared_mailbox ? '' : taken ? 'ok' : 'warn'));
}

const folderName = (box, id) => (box.folders.find(f => f.id === id) || {display_name: 'elsewhere'}).display_name;

function phish(users, s) {
  const out = [];
  for (const u of users) {
    for (const m of (u.mailbox && u.mailbox.messages) || []) {
      if (m.subject !== s.phish_subject) continue;
      const folder = folderName(u.mailbox, m.folder_id);
      out.push(row(u.display_name, 'received ' + clock(m.received), pill(folder, folder === 'Deleted Items' ? 'ok' : folder === 'Sent Items' ? '' : 'bad')));
    }
  }
  return out;
}

function rule(r, s) {
  const says = [];
  for (const [name, v] of Object.entries(r.conditions || {})) says.push('if ' + name + ' ' + [].concat(v).join(', '));
  for (const [name, v] of Object.entries(r.actions || {})) {
    if (v === true) says.push(name);
    else if (Array.isArray(v)) says.push(name + ' ' + v.map(x => (x.emailAddress && x.emailAddress.address) || '').join(', '));
    else says.push(name);
  }
  const bad = r.name === '.' || r.id === s.rule || r.id === s.hidden_rule;
  return row(r.name, says.join(' · '), r.hidden ? pill('hidden') : null, bad ? pill('attacker’s', 'bad') : null, r.enabled ? pill('on', bad ? 'bad' : '') : pill('off', 'ok'));
}

function apps(t, s) {
  const out = [];
  for (const sp of t.service_principals || []) {
    if (sp.app_owner_organization_id === 'f8cdef31-a31e-4b4a-93e4-5f571e91255a' || (t.consents && t.consents[sp.app_id])) continue;
    if ((t.applications || []).some(a => a.app_id === sp.app_id)) continue;
    const bad = sp.id === s.service_principal;
    out.push(row(sp.display_name, 'enterprise app', bad ? pill('attacker’s', 'bad') : null, sp.account_enabled ? pill('enabled', bad ? 'bad' : '') : pill('disabled', 'ok')));
  }
  for (const a of t.applications || []) {
    const bad = a.id === s.application;
    out.push(row(a.display_name, 'app registration', bad ? pill('attacker’s', 'bad') : null, a.is_disabled ? pill('disabled', 'ok') : pill('enabled', bad ? 'bad' : '')));
  }
  for (const c of t.inbound_connectors || []) {
    const bad = c.guid === s.connector;
    out.push(row(c.name, 'inbound connector' + (c.sender_ip_addresses ? ' · ' + c.sender_ip_addresses.join(', ') : ''),
      bad ? pill('attacker’s', 'bad') : null, c.enabled ? pill('enabled', bad ? 'bad' : '') : pill('disabled', 'ok')));
  }
  return out;
}

function mailbox(u, s) {
  const box = u.mailbox, count = (box.messages || []).length;
  const folders = box.folders.map(f => ({f, list: (box.messages || []).filter(m => m.folder_id === f.id)})).filter(x => x.list.length);
  return details('box ' + u.id, u.display_name + ' (' + count + ')', ...folders.map(({f, list}) => el('div', 'folder', el('h3', 'soft', f.display_name),
    el('ul', 'items', ...list.map(m => row(m.subject, m.from_name + ' · ' + clock(m.received), m.subject === s.phish_subject ? pill('phish', 'bad') : null))))));
}

// Controls and traffic

function drawPlays() {
  if ($('plays').children.length) return;
  const plays = [
    ['Send the phish again', () => ({do: 'deliver'})], ['Make the inbox rule again', () => ({do: 'recreate_rule'})],
    ['Switch the app on again', () => ({do: 'switch_app_on'})], ['Forward the mailbox', () => ({do: 'add_forwarding'})],
    ['Synchronise the directory', () => ({do: 'sync_directory'})], ['Let Teams change its keys', () => ({do: 'roll_keys'})],
    ['Remove the app from Teams', () => ({do: 'uninstall'})], ['Put the app into Teams', () => ({do: 'install'})],
  ];
  for (const [name, what] of plays) {
    const b = el('button', 'plain', name);
    b.addEventListener('click', async () => {
      const seen = await act(Object.assign(what(), {tenant: world.scenes[customer].tenant_id}));
      $('played').textContent = seen.message || seen.error || 'Done.';
    });
    $('plays').append(b);
  }
}

function drawTraffic() {
  const statusKind = s => s === 0 ? '' : s < 300 ? 'ok' : s < 500 ? 'warn' : 'bad';
  $('requests').replaceChildren(...world.requests.slice(-40).reverse().map(q => {
    const path = el('td', 'path', q.path.replace(/^\/2010-04-01\/Accounts\/[^/]+/, ''));
    path.title = q.path;
    return el('tr', '', el('td', 'soft', clock(q.at)), el('td', '', pill(q.vendor)), el('td', 'soft', q.method), path,
      el('td', '', pill(q.status ? String(q.status) : '…', statusKind(q.status))));
  }));
  const odd = world.unexpected;
  $('unexpected').replaceChildren(odd.length ? details('odd', odd.length + ' things no vendor would have known', el('ul', 'odd', ...odd.map(o => el('li', '', o)))) :
    el('p', 'soft', world.requests.length ? 'Newest first. Everything asked so far is what the vendors know.' : 'No request yet.'));
}

function draw() {
  if (!world) return;
  const {people, channels, chats, notices, installed} = world.teams;
  drawWho();
  part('teams', [me, place, people, channels, chats, notices, installed], drawTeams);
  part('phones', world.twilio, drawPhones);
  part('mail', world.mail, drawMail);
  part('desks', world.desks, drawDesks);
  part('hooks', world.receiver, drawHooks);
  part('tenant', [customer, world.scenes, world.microsoft], drawTenant);
  part('traffic', [world.requests, world.unexpected], drawTraffic);
  drawPlays();
  $('hub').href = world.hub + '/';
}

// part redraws when what it shows has changed, and gives the focus back to whoever had it.
function part(name, from, redraw) {
  const json = JSON.stringify(from);
  if (drawnAs[name] === json) return;
  const active = document.activeElement;
  redraw();
  drawnAs[name] = json;
  if (active && active !== document.activeElement && active.isConnected) active.focus({preventScroll: true});
}

async function say() {
  const text = $('words').value.trim();
  if (!text || !world) return;
  $('words').value = '';
  const seen = await act({do: 'message', person: me, channel: here === 'a:' ? '' : here, text});
  if (seen.error || seen.message) showDialog('', 'Not delivered', null, seen.error || seen.message);
}

$('send').addEventListener('click', say);
$('words').addEventListener('keydown', e => { if (e.key === 'Enter') say(); });
$('dialog-close').addEventListener('click', () => $('dialog').close());
$('dialog').addEventListener('close', () => $('dialog-body').replaceChildren());

const events = new EventSource('/_events');
events.onmessage = e => { world = JSON.parse(e.data); $('live').textContent = 'live'; $('live').className = 'on'; draw(); };
events.onerror = () => { $('live').textContent = 'connection lost, trying again…'; $('live').className = ''; };
