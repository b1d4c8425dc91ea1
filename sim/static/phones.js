'use strict';
// Draws phones and mail. A phone is built once and then kept up to date, so that what a person is
// typing stays. All text goes through text nodes, never through markup.

const phones = new Map(); // key -> update(phone, calls, texts)

const scripts = [
  ['', 'does what you do'], ['presses 4', 'answers, presses 4'], ['presses 5', 'answers, presses 5'], ['silent', 'answers, says nothing'],
  ['voicemail', 'voicemail'], ['busy', 'busy'], ['sleeps', 'sleeps'], ['sleeps through call 1, presses 4', 'sleeps through one call'],
  ['sleeps, replies CODE', 'replies with the code'], ['sleeps, STOP', 'writes STOP'], ['dead', 'number is dead'],
];

function phoneButton(name, className, what, note) {
  const b = el('button', className, name);
  b.type = 'button';
  b.addEventListener('click', async () => {
    const seen = await act(what());
    note(seen.error ? seen.error.replace(/^sim[a-z/]*: /, '') : '');
  });
  return b;
}

function buildPhone(p) {
  const state = el('p', 'phone-state'), spoken = el('div', 'spoken'), chat = el('div', 'chat'), said = el('p', 'phone-note soft');
  state.setAttribute('role', 'status');
  said.setAttribute('role', 'status');
  const note = text => { said.textContent = text; };
  const answer = phoneButton('Answer', 'phone-key go', () => ({do: 'answer', person: p.key}), note);
  const keys = ['4', '5', '1', '9', '*'].map(k => phoneButton(k, 'phone-key', () => ({do: 'press', person: p.key, value: k}), note));
  keys.forEach(b => b.setAttribute('aria-label', 'Press ' + (b.textContent === '*' ? 'star' : b.textContent)));
  const end = phoneButton('Hang up', 'phone-key stop', () => ({do: 'hang_up', person: p.key}), note);
  const words = document.createElement('input');
  words.type = 'text';
  words.autocomplete = 'off';
  words.placeholder = 'Text message';
  words.setAttribute('aria-label', 'Text message from ' + p.name);
  const send = el('button', 'plain', 'Send');
  send.type = 'button';
  const write = async () => {
    const text = words.value.trim();
    if (!text) return;
    words.value = '';
    const seen = await act({do: 'text', person: p.key, text});
    note(seen.error ? 'Sent, but the hub did not take it.' : '');
  };
  send.addEventListener('click', write);
  words.addEventListener('keydown', e => { if (e.key === 'Enter') write(); });
  const habit = document.createElement('select');
  habit.setAttribute('aria-label', 'What the phone of ' + p.name + ' does by itself');
  for (const [value, name] of scripts) { const o = el('option', '', name); o.value = value; habit.append(o); }
  habit.addEventListener('change', () => act({do: 'script', person: p.key, value: habit.value}));
  const body = el('div', 'phone-screen',
    el('div', 'phone-head', el('strong', '', p.name), el('span', 'soft', p.number)), state, spoken,
    el('div', 'phone-keys', answer, ...keys, end), chat, el('div', 'phone-write', words, send), said, el('label', 'habit soft', 'By itself ', habit));
  const root = el('article', 'phone', el('span', 'speaker'), body);
  root.setAttribute('aria-label', 'Phone of ' + p.name);
  $('phones').append(root);
  return (now, call, last, texts) => {
    const ringing = call && call.status === 'ringing', talking = call && call.status === 'in-progress';
    root.classList.toggle('ringing', Boolean(ringing));
    root.classList.toggle('talking', Boolean(talking));
    state.textContent = ringing ? 'Ringing: ResponseHub' : talking ? (call.asking ? 'On the phone, a key is awaited' : 'On the phone') :
      last ? 'Last call ' + clock(last.ended || last.updated) + ': ' + ending(last) : 'Nobody has called';
    const shown = call || last;
    spoken.replaceChildren(...((shown && shown.said) || []).slice(-3).map(l => el('p', '', '“' + l.text + '”')),
      shown && shown.pressed ? el('p', 'soft', 'Pressed ' + shown.pressed.split('').join(', ')) : '');
    answer.disabled = !ringing;
    end.disabled = !call;
    keys.forEach(b => { b.disabled = !talking; });
    chat.replaceChildren(...texts.slice(-6).map(t => {
      const mine = t.direction === 'inbound';
      return el('div', 'bubble' + (mine ? ' mine' : ''), el('p', 'text', t.body), el('span', 'soft', clock(t.created) + ' · ' + (mine ? 'sent' : t.status + (t.code ? ' ' + t.code : ''))));
    }));
    chat.hidden = !texts.length;
    chat.scrollTop = chat.scrollHeight;
    if (document.activeElement !== habit) {
      if (![...habit.options].some(o => o.value === now.script)) { const o = el('option', '', now.script); o.value = now.script; habit.append(o); }
      habit.value = now.script;
    }
  };
}

function ending(c) {
  const words = {'no-answer': 'nobody answered', busy: 'busy', failed: 'failed', canceled: 'ended while it rang', completed: 'ended'};
  const by = String(c.answered_by || '').startsWith('machine') ? ', a machine answered' : '';
  return (words[c.status] || c.status) + by;
}

function drawPhones() {
  const w = world.twilio;
  for (const p of w.phones) {
    if (!phones.has(p.key)) phones.set(p.key, buildPhone(p));
    const calls = w.calls.filter(c => c.to === p.number || c.from === p.number);
    const texts = w.texts.filter(t => t.from === p.number || (t.to === p.number && ['delivered', 'undelivered', 'scheduled', 'failed'].includes(t.status)));
    phones.get(p.key)(p, calls.find(c => c.sid === p.call), calls.filter(c => c.sid !== p.call && c.status !== 'queued').pop(), texts);
  }
}

function drawMail() {
  const m = world.mail, shown = m.mails.slice(-20).reverse();
  const mails = shown.map(x => details('mail ' + x.id, x.subject || '(no subject)',
    el('p', 'soft', clock(x.at) + ' · ' + x.from + ' → ' + x.recipients.join(', ') + (x.thread === x.id ? '' : ' · same thread')),
    el('pre', 'mailtext', x.text)));
  const refused = m.refused.slice(-5).reverse().map(r => el('li', '', clock(r.at) + ' ' + r.command + ' ' + r.about + ': ' + r.code + ' ' + r.answer));
  $('mail').replaceChildren(...mails, mails.length ? '' : el('p', 'soft', 'No mail yet.'), refused.length ? el('ul', 'odd', ...refused) : '');
}

// drawHooks shows what the receiver of outgoing webhooks and Slack got.
function drawHooks() {
  const r = world.receiver, shown = [];
  for (const h of r.hooks) {
    const events = h.events.slice().reverse().map(e => el('li', '', clock(e.at) + ' ', pill(e.type), ' ' + [e.ref, e.text].filter(Boolean).join(': '), e.copies ? pill('came ' + (e.copies + 1) + ' times', 'warn') : ''));
    shown.push(details('hook ' + h.name, 'Endpoint ' + h.name + ': ' + h.events.length + ' verified' + (h.refused.length ? ', ' + h.refused.length + ' refused' : ''), el('ul', 'desk-notes', ...events)));
    const last = h.refused[h.refused.length - 1];
    if (last) shown.push(el('p', 'soft', 'Refused at ' + clock(last.at) + ': ' + last.why));
  }
  for (const m of (r.slack || []).slice().reverse()) shown.push(details('slack ' + m.at, 'Slack, ' + clock(m.at), el('pre', 'mailtext', m.text)));
  $('hooks').replaceChildren(...shown, shown.length ? '' : el('p', 'soft', 'Nothing came yet.'));
}
