'use strict';
// Draws the service desk: the tickets of each ticket system and what a technician does to them. A ticket is
// built once and then kept up to date, so that what a person is typing stays.

const deskTickets = new Map(); // desk + id -> {root, update}
let deskShown = '', deskPerson = 'tess';

// deskAct plays an act of whoever works at the desk and says why it cannot be done.
async function deskAct(what, note) {
  const seen = await act(Object.assign(what, {person: deskPerson}));
  const why = seen.error ? seen.error.replace(/^sim[a-z/]*: /, '') : '';
  note.textContent = why ? why[0].toUpperCase() + why.slice(1) + '.' : '';
}

function deskButton(name, className, what, note) {
  const b = el('button', className, name);
  b.type = 'button';
  b.addEventListener('click', () => deskAct(what(), note));
  return b;
}

// deskChoice is a select that acts once something is chosen and then shows its name again.
function deskChoice(name, what, note) {
  const s = document.createElement('select');
  s.setAttribute('aria-label', name);
  s.addEventListener('change', () => {
    const value = s.value;
    s.value = '';
    s.blur();
    deskAct(what(value), note);
  });
  return choices => {
    if (document.activeElement === s) return s;
    const first = el('option', '', name);
    first.value = '';
    s.replaceChildren(first, ...choices.map(([value, text]) => { const o = el('option', '', text); o.value = value; return o; }));
    s.disabled = !choices.length;
    return s;
  };
}

function buildTicket(desk, id) {
  const of = extra => Object.assign({desk, ticket: id}, extra);
  const note = el('p', 'phone-note soft'), head = el('summary'), facts = el('p', 'soft'), text = el('pre', 'mailtext'), notes = el('ul', 'desk-notes');
  note.setAttribute('role', 'status');
  const turn = deskButton('Close', 'plain', () => of({do: turn.dataset.do}), note);
  const take = deskButton('Take it', 'plain', () => of({do: 'ticket_assign'}), note);
  const drop = deskButton('Delete', 'plain danger', () => of({do: 'ticket_delete'}), note);
  const status = deskChoice('Set status…', value => of({do: 'ticket_status', value}), note);
  const board = deskChoice('Move to…', value => of({do: 'ticket_board', value}), note);
  const merge = deskChoice('Merge into…', value => of({do: 'ticket_merge', value}), note);
  const words = document.createElement('input');
  words.type = 'text';
  words.autocomplete = 'off';
  words.placeholder = 'Note';
  const open = document.createElement('input');
  open.type = 'checkbox';
  const write = async () => {
    const said = words.value.trim();
    if (!said) return;
    words.value = '';
    await deskAct(of({do: 'ticket_note', text: said, value: open.checked ? 'public' : ''}), note);
  };
  words.addEventListener('keydown', e => { if (e.key === 'Enter') write(); });
  const add = el('button', 'plain', 'Add note');
  add.type = 'button';
  add.addEventListener('click', write);
  const controls = el('div', 'desk-controls', turn, take, status([]), board([]), merge([]), drop);
  const writing = el('div', 'desk-controls', words, el('label', 'soft', open, ' customer sees it'), add);
  const root = el('details', 'ticket', head, facts, text, notes, controls, writing, note);
  return {root, update(t, state) {
    const kind = t.deleted ? 'bad' : t.closed ? 'ok' : 'warn', parent = state.tickets.find(o => o.id === t.merged_into);
    head.replaceChildren(el('strong', '', t.number), ' ' + t.title + ' ', el('span', 'pills', pill(t.deleted ? 'deleted' : t.status, kind), pill(t.company),
      t.merged_into ? pill('merged into ' + (parent ? parent.number : t.merged_into)) : ''));
    facts.textContent = [t.ref, t.board, t.priority, t.assignee ? 'with ' + t.assignee : 'nobody has it', 'made ' + clock(t.created) + ' by ' + t.created_by].filter(Boolean).join(' · ');
    text.textContent = t.text;
    text.hidden = !t.text;
    notes.replaceChildren(...t.notes.map(n => el('li', n.internal ? '' : 'public',
      el('p', 'text', n.text), el('span', 'soft', clock(n.at) + ' · ' + n.by + ' · ' + (n.internal ? 'internal' : 'the customer sees it')))));
    words.setAttribute('aria-label', 'Note on ' + t.number);
    turn.textContent = t.closed ? 'Reopen' : 'Close';
    turn.dataset.do = t.closed ? 'ticket_reopen' : 'ticket_close';
    status([...new Set(state.statuses)].map(s => [s, s]));
    board(state.boards.filter(b => b !== t.board).map(b => [b, b]));
    merge(state.tickets.filter(o => o.id !== t.id && !o.deleted && !o.merged_into && o.company === t.company).map(o => [String(o.id), o.number + ' ' + o.title.slice(0, 40)]));
    controls.hidden = writing.hidden = t.deleted;
  }};
}

function drawDesks() {
  const all = world.desks || [];
  if (!all.some(d => d.desk === deskShown)) deskShown = (all.find(d => d.tickets.length) || all[0] || {}).desk;
  $('desks').replaceChildren(...all.map(d => {
    const b = el('button', 'tab', d.product, d.tickets.length ? pill(String(d.tickets.filter(t => !t.deleted && !t.closed).length)) : '');
    b.type = 'button';
    b.setAttribute('aria-current', String(d.desk === deskShown));
    b.addEventListener('click', () => { deskShown = d.desk; drawDesks(); });
    return b;
  }));
  const state = all.find(d => d.desk === deskShown);
  if (!state) return;
  const who = $('desk-who');
  if (!who.options.length) {
    who.append(...state.people.map(p => { const o = el('option', '', p[0].toUpperCase() + p.slice(1)); o.value = p; return o; }));
    who.addEventListener('change', () => { deskPerson = who.value; });
  }
  const shown = state.tickets.slice().reverse().map(t => {
    const key = state.desk + ' ' + t.id;
    if (!deskTickets.has(key)) deskTickets.set(key, buildTicket(state.desk, t.id));
    const built = deskTickets.get(key);
    built.update(t, state);
    return built.root;
  });
  const list = $('tickets');
  if (shown.length !== list.children.length || shown.some((n, i) => n !== list.children[i])) list.replaceChildren(...shown);
  if (!shown.length) list.replaceChildren(el('p', 'soft', 'No ticket yet.'));
  const hooks = state.hooks.map(h => (h.active ? 'Events go to ' : 'Events are off: ' + (h.why || 'switched off') + '; they went to ') + h.url.replace(/token=[^&]+/, 'token=…'));
  $('desk-hooks').textContent = hooks.length ? hooks.join(' · ') : 'Nobody has registered for events of ' + state.product + '.';
}
