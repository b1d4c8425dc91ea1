'use strict';
// Draws an adaptive card 1.5. All text goes through text nodes, never through markup.
// drawCard(card, press) returns an element; press(action, pointer, inputs, button) is called for
// Action.Execute and Action.Submit with the action's JSON pointer in the card and the input values.

function el(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  for (const c of children) if (c !== null && c !== undefined && c !== '') e.append(c);
  return e;
}

function drawCard(card, press) {
  const root = el('div', 'card');
  cardInto(root, card, '', new Map(), press);
  return root;
}

// cardInto draws a card or the card of an Action.ShowCard; inputs holds those of the cards around it.
function cardInto(root, card, at, inputs, press) {
  const own = new Map(inputs);
  const ctx = {inputs: own, press, people: ((card.msteams && card.msteams.entities) || []).filter(e => e.type === 'mention').map(e => e.text)};
  drawList(root, card.body, at + '/body', ctx);
  if (card.actions) root.append(drawActions(card.actions, at + '/actions', ctx, card));
}

function drawList(into, items, at, ctx) {
  (items || []).forEach((item, i) => {
    if (item.isVisible === false) return;
    const draw = drawers[item.type];
    const e = draw ? draw(item, at + '/' + i, ctx) : el('p', 'soft', '[' + item.type + ']');
    e.classList.add('sp-' + String(item.spacing || 'default').toLowerCase());
    if (item.separator) e.classList.add('separator');
    if (item.horizontalAlignment) e.classList.add('align-' + item.horizontalAlignment.toLowerCase());
    if (item.id) e.dataset.id = item.id;
    into.append(e);
  });
}

function textClasses(item) {
  const out = [];
  for (const name of ['size', 'weight', 'color', 'fontType']) {
    if (item[name]) out.push('t-' + name.toLowerCase() + '-' + String(item[name]).toLowerCase());
  }
  for (const name of ['isSubtle', 'italic', 'strikethrough', 'underline', 'highlight']) if (item[name]) out.push('t-' + name.toLowerCase());
  return out.join(' ');
}

// words puts text with the little markdown that cards know into an element. people are the card's mentions.
function words(into, text, people) {
  const when = (_, time, part) => {
    const d = new Date(time);
    if (isNaN(d)) return time;
    return part === 'TIME' ? d.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'}) : d.toLocaleDateString();
  };
  text = String(text ?? '').replace(/\{\{(DATE|TIME)\(([^,)]+)(?:,[^)]*)?\)\}\}/g, (m, part, time) => when(m, time.trim(), part));
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    if (i) into.append(document.createElement('br'));
    line = line.replace(/^\s*[-*] (?=\S)/, '• ');
    const re = /\\([\\`*_{}[\]()#+\-.!>~|<])|\*\*(.+?)\*\*|\[([^\]]+)\]\((https?:[^)\s]+)\)|<at>(.+?)<\/at>/g;
    let from = 0;
    for (let m; (m = re.exec(line));) {
      into.append(line.slice(from, m.index));
      from = re.lastIndex;
      if (m[1]) into.append(m[1]);
      else if (m[2]) into.append(el('strong', '', m[2]));
      else if (m[5]) into.append((people || []).includes(m[0]) ? el('span', 'mention', m[5]) : m[0]);
      else into.append(link(m[4], m[3]));
    }
    into.append(line.slice(from));
  });
}

function link(url, text) {
  const a = el('a', '', text);
  a.href = /^https?:/.test(url) ? url : '#';
  a.target = '_blank';
  a.rel = 'noreferrer';
  return a;
}

function container(item, at, ctx, list, kind) {
  const e = el('div', kind + (item.style && item.style !== 'default' ? ' style-' + item.style.toLowerCase() : ''));
  if (item.minHeight) e.style.minHeight = item.minHeight;
  if (item.verticalContentAlignment) e.classList.add('valign-' + item.verticalContentAlignment.toLowerCase());
  drawList(e, item[list], at + '/' + list, ctx);
  return e;
}

function field(item, ctx, control, value) {
  const box = el('label', 'field', item.label ? el('span', 'label', item.label + (item.isRequired ? ' *' : '')) : null, control);
  if (!item.label) control.setAttribute('aria-label', item.placeholder || item.title || item.id);
  ctx.inputs.set(item.id, {value, item, box});
  return box;
}

function choiceSet(item, ctx) {
  const chosen = String(item.value || '').split(',').filter(Boolean);
  if (item.style === 'expanded' || item.isMultiSelect) {
    const group = el('fieldset', 'choices', item.label ? el('legend', 'label', item.label + (item.isRequired ? ' *' : '')) : null);
    const name = 'choice-' + Math.random().toString(36).slice(2);
    const boxes = (item.choices || []).map(c => {
      const box = document.createElement('input');
      box.type = item.isMultiSelect ? 'checkbox' : 'radio';
      box.name = name;
      box.value = c.value;
      box.checked = chosen.includes(c.value);
      group.append(el('label', 'choice', box, el('span', '', c.title)));
      return box;
    });
    ctx.inputs.set(item.id, {value: () => boxes.filter(b => b.checked).map(b => b.value).join(','), item, box: group});
    return group;
  }
  const select = document.createElement('select');
  if (!item.value) select.append(new Option(item.placeholder || '', ''));
  for (const c of item.choices || []) select.append(new Option(c.title, c.value, false, chosen.includes(c.value)));
  return field(item, ctx, select, () => select.value);
}

function textInput(type) {
  return (item, at, ctx) => {
    const input = document.createElement(item.isMultiline ? 'textarea' : 'input');
    if (!item.isMultiline) input.type = item.style === 'password' ? 'password' : type;
    input.value = item.value ?? '';
    input.placeholder = item.placeholder || '';
    if (item.maxLength) input.maxLength = item.maxLength;
    return field(item, ctx, input, () => input.value);
  };
}

const drawers = {
  TextBlock(item, at, ctx) {
    const e = el(item.style === 'heading' ? 'h3' : 'p', 'text ' + textClasses(item) + (item.wrap ? '' : ' nowrap'));
    words(e, item.text, ctx.people);
    if (item.maxLines) { e.classList.add('clamp'); e.style.webkitLineClamp = item.maxLines; }
    return e;
  },
  RichTextBlock(item) {
    const e = el('p', 'text');
    for (const run of item.inlines || []) {
      if (typeof run === 'string') e.append(run);
      else if (run.selectAction?.type === 'Action.OpenUrl') e.append(link(run.selectAction.url, run.text));
      else e.append(el('span', textClasses(run), run.text));
    }
    return e;
  },
  Container: (item, at, ctx) => container(item, at, ctx, 'items', 'container'),
  ColumnSet(item, at, ctx) {
    const e = el('div', 'columns' + (item.style && item.style !== 'default' ? ' style-' + item.style.toLowerCase() : ''));
    (item.columns || []).forEach((c, i) => {
      if (c.isVisible === false) return;
      const col = container(c, at + '/columns/' + i, ctx, 'items', 'column');
      const width = String(c.width ?? 'stretch');
      if (width === 'auto') col.style.flex = '0 1 auto';
      else if (/^\d+(\.\d+)?$/.test(width)) col.style.flex = width + ' 1 0';
      else if (/^\d+px$/.test(width)) col.style.flex = '0 0 ' + width;
      else col.style.flex = '1 1 0';
      e.append(col);
    });
    return e;
  },
  FactSet(item) {
    const e = el('dl', 'facts');
    for (const f of item.facts || []) {
      const dt = el('dt'), dd = el('dd');
      words(dt, f.title);
      words(dd, f.value);
      e.append(dt, dd);
    }
    return e;
  },
  Table(item, at, ctx) {
    const e = el('table', 'grid');
    (item.rows || []).forEach((r, i) => {
      const tr = el('tr', i === 0 && item.firstRowAsHeaders !== false ? 'head' : '');
      (r.cells || []).forEach((c, j) => tr.append(container(c, at + '/rows/' + i + '/cells/' + j, ctx, 'items', 'cell')));
      e.append(tr);
    });
    for (const cell of e.querySelectorAll('.cell')) { const td = el('td'); cell.replaceWith(td); td.append(cell); }
    return e;
  },
  Image(item) {
    const e = document.createElement('img');
    e.alt = item.altText || '';
    e.className = 'image size-' + String(item.size || 'auto').toLowerCase();
    if (/^data:image\//.test(item.url)) e.src = item.url;
    return e;
  },
  ActionSet: (item, at, ctx) => drawActions(item.actions, at + '/actions', ctx, item),
  'Input.Text': textInput('text'),
  'Input.Date': textInput('date'),
  'Input.Time': textInput('time'),
  'Input.Number': textInput('number'),
  'Input.ChoiceSet': (item, at, ctx) => choiceSet(item, ctx),
  'Input.Toggle'(item, at, ctx) {
    const box = document.createElement('input');
    box.type = 'checkbox';
    const on = item.valueOn || 'true', off = item.valueOff || 'false';
    box.checked = item.value === on;
    ctx.inputs.set(item.id, {value: () => box.checked ? on : off, item, box});
    return el('label', 'choice', box, el('span', '', item.title));
  },
};

function drawActions(actions, at, ctx) {
  const bar = el('div', 'actions'), below = el('div');
  actions.forEach((action, i) => {
    const pointer = at + '/' + i;
    if (action.type === 'Action.OpenUrl') {
      const a = link(action.url, action.title);
      a.className = 'action';
      a.setAttribute('role', 'button');
      bar.append(a);
      return;
    }
    const b = el('button', 'action' + (action.style ? ' is-' + action.style : ''), action.title);
    b.type = 'button';
    if (action.tooltip) b.title = action.tooltip;
    b.disabled = action.isEnabled === false;
    bar.append(b);
    if (action.type === 'Action.ShowCard') {
      const sub = el('div', 'showcard');
      sub.hidden = true;
      cardInto(sub, action.card || {}, pointer + '/card', ctx.inputs, ctx.press);
      below.append(sub);
      b.setAttribute('aria-expanded', 'false');
      b.addEventListener('click', () => {
        for (const other of below.children) if (other !== sub) other.hidden = true;
        for (const other of bar.children) if (other !== b && other.hasAttribute('aria-expanded')) other.setAttribute('aria-expanded', 'false');
        sub.hidden = !sub.hidden;
        b.setAttribute('aria-expanded', String(!sub.hidden));
      });
      return;
    }
    b.addEventListener('click', () => {
      const values = {};
      let complete = true;
      if (action.associatedInputs !== 'none') {
        for (const [id, input] of ctx.inputs) {
          values[id] = input.value();
          const missing = Boolean(input.item.isRequired) && !values[id];
          input.box.classList.toggle('missing', missing);
          if (missing) { input.box.title = input.item.errorMessage || 'Please fill this in'; complete = false; }
        }
      }
      if (complete) ctx.press(action, pointer, values, b);
    });
  });
  return el('div', 'actionset', bar, below);
}
