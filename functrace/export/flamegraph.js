// Draws the frames of a flame graph anew when somebody zooms, searches or resizes.
"use strict";
(() => {
  const ROW = 18, TOP = 58, BOTTOM = 30, LEAST = 0.4, LETTER = 6.6;
  const SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml";
  const svg = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const chains = JSON.parse(byId("chains").textContent);
  const count = chains.parent.length;
  const children = Array.from({ length: count }, () => []);
  for (let node = 1; node < count; node++) children[chains.parent[node]].push(node);

  const WEIGHTS = { time: "self", calls: "calls", errors: "failed" };
  const failsBelow = summed(chains.failed);
  let by = chains.by, sums, top = 0, wanted = null, width = 1200;

  function summed(own) {
    const sums = own.slice();
    for (let node = count - 1; node > 0; node--) sums[chains.parent[node]] += sums[node];
    return sums;
  }

  function weigh(name) {
    by = name;
    sums = summed(chains[WEIGHTS[by]]);
    for (const nodes of children) nodes.sort((a, b) => sums[b] - sums[a] || a - b);
    byId("caption").textContent = `by ${chains.titles[by]}; ${chains.key}`;
  }

  function element(name, attributes, parent, text) {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  const number = (value) => value.toLocaleString("en-US");

  function duration(ns) {
    for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
      if (ns >= size) return `${(ns / size).toPrecision(ns / size < 999.5 ? 3 : 4)}${unit}`;
    }
    return `${ns}ns`;
  }

  function share(part, whole) {
    const percent = whole ? (100 * part) / whole : 0;
    return percent > 0 && percent < 0.05 ? "<0.1%" : `${percent.toFixed(1)}%`;
  }

  function title(node) {
    const name = chains.names[chains.name[node]];
    if (!chains.calls[node]) return name;
    const track = chains.started[node] ? " (on a new track)" : "";
    const lines = [
      name + track,
      `${number(chains.calls[node])} call${chains.calls[node] === 1 ? "" : "s"}, ` +
        `total ${duration(chains.total[node])}, self ${duration(chains.self[node])}, ` +
        `${share(sums[node], sums[0])} of what is shown`,
    ];
    if (chains.suspended[node]) lines.push(`suspended ${duration(chains.suspended[node])}`);
    if (chains.failed[node]) {
      const failed = number(chains.failed[node]);
      lines.push(`${failed} failed (${share(chains.failed[node], chains.calls[node])})`);
      if (chains.text[node] >= 0) lines.push(chains.texts[chains.text[node]]);
    }
    if (chains.difference) {
      const { before, after, of } = chains.difference[by];
      const percent = (value) => `${(100 * value).toFixed(2)}%`;
      lines.push(`${percent(before[node])} → ${percent(after[node])} ${of}`);
    }
    return lines.join("\n");
  }

  function color(node) {
    if (chains.difference) return chains.difference[by].colors[node];
    if (chains.failed[node]) return "#cf222e";
    return failsBelow[node] ? "#ffc9c2" : chains.colors[chains.name[node]];
  }

  const matches = (node) => wanted !== null && wanted.test(chains.names[chains.name[node]]);

  // A name without its path, its package and its type, as far as there is no room for them.
  function cut(name, letters) {
    const short = name.slice(name.lastIndexOf("/") + 1);
    const dot = short.indexOf(".");
    const last = short.slice(short.lastIndexOf(".") + 1);
    const forms = [name, short, dot < 0 ? "" : short.slice(dot + 1), last];
    const fitting = forms.find((form) => form && form.length <= letters);
    return fitting || (last || name).slice(0, letters - 1) + "…";
  }

  function drawFrame(group, node, level, x, wide, above) {
    const kind = ["frame"];
    if (chains.failed[node] && !chains.difference) kind.push("failed");
    if (above) kind.push("above");
    if (matches(node)) kind.push("found");
    const frame = element("g", { class: kind.join(" "), "data-node": node }, group);
    element("title", {}, frame, title(node));
    const y = TOP + level * ROW;
    const place = { x: x.toFixed(2), y, width: wide.toFixed(2), height: ROW - 1, rx: 2 };
    element("rect", { ...place, fill: color(node) }, frame);
    const letters = Math.floor((wide - 6) / LETTER);
    if (letters < 3) return;
    const name = cut(chains.names[chains.name[node]], letters);
    element("text", { x: (x + 3).toFixed(2), y: y + 13 }, frame, name);
  }

  function draw() {
    const group = element("g", { id: "frames" });
    const path = [];
    for (let node = chains.parent[top]; node >= 0; node = chains.parent[node]) path.unshift(node);
    path.forEach((node, level) => drawFrame(group, node, level, 0, width, true));
    const scale = sums[top] ? width / sums[top] : 0;
    const waiting = [[top, path.length, 0, width]];
    let deepest = 0;
    while (waiting.length) {
      const [node, level, left, wide] = waiting.pop();
      drawFrame(group, node, level, left, wide, false);
      deepest = Math.max(deepest, level);
      let x = left;
      for (const child of children[node]) {
        const part = sums[child] * scale;
        if (part < LEAST) break;
        waiting.push([child, level + 1, x, part]);
        x += part;
      }
    }
    byId("frames").replaceWith(group);
    resize(TOP + (deepest + 1) * ROW + BOTTOM);
    tellFound();
  }

  function resize(height) {
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    byId("pointed").setAttribute("y", height - 10);
    controls.setAttribute("x", width - 430);
  }

  // Of frames inside one another, the outermost counts.
  function tellFound() {
    if (wanted === null) return void (found.textContent = "");
    let sum = 0, frames = 0;
    const waiting = [top];
    while (waiting.length) {
      const node = waiting.pop();
      if (matches(node)) {
        sum += sums[node];
        frames++;
      } else waiting.push(...children[node]);
    }
    found.textContent = `${share(sum, sums[top])} in ${number(frames)}`;
  }

  function search(text) {
    try {
      wanted = text ? new RegExp(text, "i") : null;
    } catch {
      wanted = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    }
    draw();
  }

  function zoom(node) {
    top = node;
    draw();
  }

  function html(name, attributes, parent, text) {
    const made = document.createElementNS(HTML, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  const controls = element("foreignObject", { y: 8, width: 420, height: 30 }, svg);
  const font = "font:12px system-ui,sans-serif;color:#1b1f24";
  const bar = html("div", { style: `display:flex;gap:8px;align-items:center;${font}` }, controls);
  const found = html("span", { style: "flex:1;text-align:right" }, bar);
  const field = html("input", { type: "search", placeholder: "search (regular expression)" }, bar);
  field.setAttribute("style", "width:170px;font:inherit");
  const choice = html("select", { style: "font:inherit" }, bar);
  for (const name in WEIGHTS) html("option", { value: name }, choice, name);
  const reset = html("button", { style: "font:inherit" }, bar, "reset");

  choice.value = by;
  field.addEventListener("input", () => search(field.value));
  choice.addEventListener("change", () => {
    weigh(choice.value);
    draw();
  });
  reset.addEventListener("click", () => {
    field.value = "";
    wanted = null;
    zoom(0);
  });
  svg.addEventListener("click", (event) => {
    const frame = event.target.closest(".frame");
    if (frame) zoom(Number(frame.getAttribute("data-node")));
  });
  svg.addEventListener("mouseover", (event) => {
    const frame = event.target.closest(".frame");
    const node = frame && Number(frame.getAttribute("data-node"));
    byId("pointed").textContent = frame ? title(node).split("\n").join("  ·  ") : "";
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") zoom(top > 0 ? chains.parent[top] : 0);
    if ((event.ctrlKey || event.metaKey) && event.key === "f") {
      field.focus();
      event.preventDefault();
    }
  });
  addEventListener("resize", () => {
    width = Math.max(600, document.documentElement.clientWidth || innerWidth);
    draw();
  });

  weigh(by);
  width = Math.max(600, innerWidth || 1200);
  draw();
})();
