"use strict";
// The page of one run: draws what the element "run" holds, and lets a person walk through it.
(() => {
const run = JSON.parse(document.getElementById("run").textContent);
for (const k of ["lines", "events", "arrows", "spans", "lives", "cuts", "crashes", "chain", "links", "epochs", "curve"]) run[k] ||= [];
const $ = id => document.getElementById(id);
const canvas = $("diagram"), stage = $("stage"), tip = $("tip"), g = canvas.getContext("2d");

// Okabe and Ito's colours, which colour-blind people can tell apart; red is for what went wrong.
const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8a7a00"];
const red = "#d55e00", ink = "#111", grey = "#9a9a9a";
const colour = epoch => epoch < 0 ? grey : colours[epoch % colours.length];
const left = 122, top = 34, bottom = run.curve.length ? 100 : 26, font = "12px system-ui, 'DejaVu Sans', sans-serif";

const groups = [...new Set(run.events.map(e => e.g))];
const quiet = new Set(["records", "event time"]); // off at first, unless the causes need them
const inChain = new Set(run.chain);
const lastCut = run.cuts.filter(c => c.p <= run.at).at(-1); // what the run stood on when the promise was broken
const inCut = new Set(lastCut?.v);
const skeleton = new Set(["worker-crashed", "coordinator-crashed", "plan-executed", "task-failed", "completed", "aborted"]);
const view = { scope: run.chain.length ? "causes" : "all", epoch: "", channel: "", line: "", axis: "order", groups: new Set(groups.filter(n => !quiet.has(n))), x: 0, scale: 20, at: -1 };
for (const i of run.chain) view.groups.add(run.events[i].g);

// Of a wide job what led to it is drawn without the parties that have no part in it.
const wide = run.lines.length > 12;
const chainLines = new Set([0, ...run.chain.map(i => run.events[i].l)]);
const hasPart = line => !wide || view.scope !== "causes" || chainLines.has(line);
let rows = [], row = []; // the lines that are drawn, and by line its place among them

// What is shown, in order, and where: place[i] is the rank or the time of event i, also of those that are not shown.
let shown = [], place = [], isShown = [];

function passes(e, i) {
	if (i === run.at) return true;
	if (view.epoch !== "" && e.e !== +view.epoch) return false;
	if (view.channel !== "" && e.c !== view.channel) return false;
	if (view.line !== "" && e.l !== +view.line) return false;
	if (inChain.has(i)) return true;
	if (!hasPart(e.l)) return false;
	if (view.scope === "causes") return inCut.has(i) || i <= run.at && skeleton.has(e.k) && i >= (run.chain[0] ?? 0);
	if (!view.groups.has(e.g)) return false;
	return view.scope === "all" || i >= (run.chain[0] ?? 0) - 40 && i <= run.at + 60;
}

function filter() {
	shown = [];
	isShown = run.events.map(passes);
	const first = run.events.length ? run.events[0].t : 0;
	place = run.events.map((e, i) => {
		const p = view.axis === "time" ? (e.t - first) * 20 : shown.length;
		if (isShown[i]) shown.push(i);
		return p;
	});
	place.push(shown.length ? place[shown[shown.length - 1]] + 1 : 0); // the end
	rows = run.lines.map((_, n) => n).filter(hasPart);
	row = [];
	rows.forEach((n, k) => { row[n] = k; });
	resize();
	const hidden = run.lines.length - rows.length;
	$("count").textContent = `${shown.length} of ${run.events.length} events` + (run.left ? `; ${run.left} more are left out: --whole` : "") + (hidden ? `; ${hidden} parties have no part in it` : "");
	if (view.at >= 0 && !isShown[view.at]) view.at = -1;
}

let width = 0, height = 0, gap = 40;
const X = i => left + (place[i] - view.x) * view.scale;
const Y = line => row[line] === undefined ? -1000 : top + gap * (row[line] + 0.5);

function resize() {
	const ratio = window.devicePixelRatio || 1;
	width = stage.clientWidth;
	gap = Math.max(42, (stage.clientHeight - top - bottom) / rows.length);
	height = Math.max(stage.clientHeight, Math.ceil(top + bottom + gap * rows.length));
	canvas.style.width = width + "px";
	canvas.style.height = height + "px";
	canvas.width = Math.round(width * ratio);
	canvas.height = Math.round(height * ratio);
	g.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function fit(indices, most) {
	if (!indices.length) return;
	const a = place[indices[0]], b = place[indices[indices.length - 1]];
	view.scale = Math.min(most, (width - left - 120) / Math.max(b - a, 1));
	view.x = a - 30 / view.scale;
}

// home is the first look: the end of the chain, as much of it as has room for labels.
function home() {
	const from = run.chain.length ? run.chain : shown;
	const end = run.at < run.events.length ? run.at : from[from.length - 1];
	const some = shown.filter(i => i <= end).slice(-Math.max(8, Math.floor((width - left - 120) / 20)));
	fit(some, 60);
}

function stroke(style, wide, dash) {
	g.strokeStyle = style;
	g.lineWidth = wide;
	g.setLineDash(dash || []);
}

function line(x1, y1, x2, y2) {
	g.beginPath();
	g.moveTo(x1, y1);
	g.lineTo(x2, y2);
	g.stroke();
}

function arrow(from, to, style, wide, dash) {
	const x1 = X(from), x2 = X(to), y1 = Y(run.events[from].l), y2 = Y(run.events[to].l);
	if (x2 < left || x1 > width) return;
	stroke(style, wide, dash);
	const angle = Math.atan2(y2 - y1, x2 - x1), head = wide > 1.5 ? 8 : 6;
	if (y1 === y2) { // on one line: an arc above it
		g.beginPath();
		g.moveTo(x1, y1);
		g.quadraticCurveTo((x1 + x2) / 2, y1 - Math.min(18, 6 + (x2 - x1) / 8), x2, y2);
		g.stroke();
		return;
	}
	const ex = x2 - 4 * Math.cos(angle), ey = y2 - 4 * Math.sin(angle);
	line(x1, y1, ex, ey);
	g.setLineDash([]);
	g.beginPath();
	for (const d of [-0.4, 0.4]) {
		g.moveTo(ex, ey);
		g.lineTo(ex - head * Math.cos(angle + d), ey - head * Math.sin(angle + d));
	}
	g.stroke();
}

function cross(x, y, size, style) {
	stroke(style, 2.5);
	line(x - size, y - size, x + size, y + size);
	line(x - size, y + size, x + size, y - size);
}

function mark(i) {
	const e = run.events[i], x = X(i), y = Y(e.l), causal = inChain.has(i);
	g.fillStyle = e.g === "faults" ? red : causal ? ink : colour(e.e);
	if (e.k.endsWith("crashed") || e.k === "task-failed") cross(x, y, 6, red);
	else if (e.k.startsWith("barrier")) g.fillRect(x - 1.5, y - 8, 3, 16);
	else {
		g.beginPath();
		g.arc(x, y, causal ? 4 : 3, 0, 7);
		g.fill();
	}
	if (i === run.at) diamond(x, y);
	if (i === view.at) {
		stroke("#0060a0", 2);
		g.beginPath();
		g.arc(x, y, 10, 0, 7);
		g.stroke();
	}
}

function diamond(x, y) {
	g.fillStyle = red;
	g.beginPath();
	for (const [dx, dy] of [[0, -10], [10, 0], [0, 10], [-10, 0]]) g.lineTo(x + dx, y + dy);
	g.fill();
}

// labels writes what there is room for, above or below its line: what led to the violation first.
function labels(visible) {
	const taken = run.lines.map(() => [[], []]);
	const rank = i => i === run.at || i === view.at ? 0 : inChain.has(i) ? 1 : run.events[i].g === "faults" || run.events[i].g === "recovery" ? 2 : 3;
	const order = visible.filter(i => run.events[i].b || i === run.at).sort((a, b) => rank(a) - rank(b) || a - b);
	for (const i of order) {
		const e = run.events[i], broken = i === run.at;
		const text = broken ? (e.b ? e.b + "  " : "") + "violates " + run.broken : e.b;
		g.font = (rank(i) < 2 ? "bold " : "") + font;
		const w = g.measureText(text).width;
		let x = Math.max(left + 2, X(i) - 4);
		if (x + w > width - 2) x = width - 2 - w;
		for (const side of [0, 1]) {
			if (taken[e.l][side].some(([a, b]) => x < b + 6 && a < x + w + 6)) continue;
			taken[e.l][side].push([x, x + w]);
			const y = Y(e.l) + (side ? 20 : -11);
			stroke("#fff", 4);
			g.strokeText(text, x, y);
			g.fillStyle = broken ? red : rank(i) < 2 ? ink : "#555";
			g.fillText(text, x, y);
			break;
		}
	}
}

function drawSpans() {
	for (const s of run.spans) {
		const x1 = Math.max(X(s.f), left), x2 = Math.min(X(s.o), width), y = Y(s.l);
		if (x2 < left || x1 > width || x2 - x1 < 1) continue;
		const on = s.e >= 0 && view.epoch !== "" && s.e !== +view.epoch ? 0.08 : 1;
		g.globalAlpha = { snapshot: 0.3, upload: 0.6, alignment: 0.5, restore: 0.18 }[s.k] * on;
		g.fillStyle = s.k === "restore" ? "#444" : s.k === "alignment" ? "#444" : colour(s.e);
		if (s.k === "alignment") for (let x = x1; x < x2; x += 6) g.fillRect(x, y - 6, 2, 12);
		else g.fillRect(x1, s.k === "upload" ? y + 3 : y - 6, x2 - x1, s.k === "upload" ? 5 : 12);
		g.globalAlpha = 1;
	}
}

function drawCuts() {
	for (const c of view.scope === "causes" ? [lastCut].filter(c => c) : run.cuts) {
		const by = c.v.filter(i => hasPart(run.events[i].l)).sort((a, b) => run.events[a].l - run.events[b].l);
		if (!by.length) continue;
		stroke("#7a2f8f", 1.5, [7, 4]);
		g.beginPath();
		for (const i of by) g.lineTo(X(i), Y(run.events[i].l));
		g.stroke();
		const at = by[0], x = X(at);
		if (x > left && x < width - 60) {
			g.fillStyle = "#7a2f8f";
			g.font = font;
			g.fillText("cut " + run.epochs[run.events[at].e], x + 5, Y(run.events[at].l) - 22);
		}
	}
}

function draw() {
	g.clearRect(0, 0, width, height);
	g.save();
	g.beginPath();
	g.rect(left - 6, 0, width - left + 6, height);
	g.clip();
	rows.forEach(n => {
		const l = run.lines[n];
		stroke("#bbb", 1, l.kind === "task" || l.kind === "coordinator" ? [2, 4] : []);
		line(left, Y(n), width, Y(n));
	});
	for (const l of run.lives) {
		stroke("#666", 1.5);
		if (X(l.o) > left && X(l.f) < width) line(Math.max(X(l.f), left), Y(l.l), Math.min(X(l.o), width), Y(l.l));
	}
	drawSpans();
	drawCuts();
	for (const a of run.arrows) {
		const within = run.events[a.f].l === run.events[a.o].l; // says little, and there are many
		if (isShown[a.f] && isShown[a.o] && (!within || a.f === view.at || a.o === view.at)) {
			g.globalAlpha = view.scope === "causes" ? 0.45 : 0.7;
			arrow(a.f, a.o, a.w === "fault" ? red : colour(a.e), a.w === "barrier" ? 1.6 : 1, a.w === "records" ? [1, 2] : a.w === "object" ? [5, 3] : []);
		}
	}
	g.globalAlpha = 1;
	for (const [f, o] of run.links) if (isShown[f] && isShown[o]) arrow(f, o, ink, 1.8);
	for (const c of run.crashes) if (isShown[c.v]) cross(X(c.v), Y(c.l), 5, red);
	const visible = shown.filter(i => X(i) > left - 8 && X(i) < width + 8);
	visible.forEach(mark);
	labels(visible);
	if (run.broken && run.at >= run.events.length) {
		diamond(X(run.at), Y(0));
		g.font = "bold " + font;
		const words = `violates ${run.broken}, when the job had ended \u25b6`;
		g.fillText(words, width - 10 - g.measureText(words).width, height - 8);
	}
	drawCurve();
	drawTimes(visible);
	g.restore();
	drawNames();
}

// drawCurve draws how likely the failure was, below the lines: 0 at the foot, 1 at the head.
function drawCurve() {
	if (!run.curve.length) return;
	const y = p => height - 28 - p * (bottom - 48), at = c => X(Math.min(c.v, run.events.length));
	g.fillStyle = "#0072b2";
	g.globalAlpha = 0.2;
	g.beginPath();
	run.curve.forEach(c => g.lineTo(at(c), y(c.hi)));
	[...run.curve].reverse().forEach(c => g.lineTo(at(c), y(c.lo)));
	g.fill();
	g.globalAlpha = 1;
	stroke("#ddd", 1);
	line(left, y(0), width, y(0));
	line(left, y(1), width, y(1));
	stroke("#0072b2", 2);
	g.beginPath();
	run.curve.forEach(c => g.lineTo(at(c), y(c.p)));
	g.stroke();
	run.curve.forEach(c => g.fillRect(at(c) - 2, y(c.p) - 2, 4, 4));
	const turn = run.curve.find(c => c.turn);
	if (!turn) return;
	stroke(ink, 1, [3, 3]);
	line(at(turn), top, at(turn), y(0));
	g.font = font;
	const words = "near certain from here", w = g.measureText(words).width;
	g.fillStyle = ink;
	g.fillText(words, Math.max(left, Math.min(at(turn) + 4, width - w - 4)), y(0) + 14);
}

function drawTimes(visible) {
	g.font = "11px system-ui, 'DejaVu Sans', sans-serif";
	g.fillStyle = "#666";
	let last = -1e9;
	for (const i of visible) {
		const x = X(i);
		if (x < last + 74 || x > width - 60) continue;
		last = x;
		stroke("#ddd", 1);
		line(x, top - 12, x, top - 6);
		g.fillText(run.events[i].t.toFixed(2) + " ms", x - 2, top - 17);
	}
}

function drawNames() {
	g.fillStyle = "#fff";
	g.fillRect(0, 0, left - 6, height);
	g.fillStyle = ink;
	g.font = font;
	if (run.curve.length) g.fillText("probability", 10, height - bottom / 2);
	rows.forEach(n => {
		const l = run.lines[n];
		g.font = (view.at >= 0 && run.events[view.at].l === n ? "bold " : "") + font;
		g.fillStyle = ink;
		g.fillText(l.name, 10, Y(n) + 4, left - 20);
	});
}

let pending = false;
function redraw() {
	if (pending) return;
	pending = true;
	requestAnimationFrame(() => { pending = false; draw(); });
}

// --- the panel ---

function text(tag, words, parent) {
	const x = document.createElement(tag);
	x.textContent = words;
	parent.append(x);
	return x;
}

function describe() {
	const i = view.at, e = run.events[i];
	$("around").replaceChildren();
	if (!e) {
		$("what").textContent = "Hover over an event, click it, or step with the arrow keys.";
		$("facts").textContent = "";
		return;
	}
	$("what").textContent = e.s;
	$("facts").textContent = `${e.t.toFixed(6)} ms, ${run.lines[e.l].name}, ${e.k}` + (e.e >= 0 ? `, epoch ${run.epochs[e.e]}` : "") + (e.c ? `, ${e.c}` : "") + `, event ${i + 1} of ${run.events.length}`;
	const go = (to, how) => text("button", `${how}: ${run.events[to].s}`, $("around")).onclick = () => select(to);
	run.arrows.filter(a => a.o === i).forEach(a => go(a.f, "\u2190 " + a.w));
	run.arrows.filter(a => a.f === i).slice(0, 4).forEach(a => go(a.o, "\u2192 " + a.w));
}

function listChain() {
	if (!run.chain.length) text("p", run.broken ? "Nothing is known of what led to it." : "No promise was broken.", $("chain"));
	for (const i of run.chain) {
		const item = text("li", run.events[i].s + " ", $("chain"));
		text("time", run.events[i].t.toFixed(2) + " ms", item);
		item.dataset.event = i;
		if (i === run.at) item.className = "broken";
		item.onclick = () => select(i);
	}
	if (run.broken && run.at >= run.events.length) text("li", "the job has ended, and the oracle says so", $("chain")).className = "broken";
}

function select(i) {
	if (i < 0 || i >= run.events.length) return;
	if (!isShown[i]) { // asked for by name: what hides it gives way
		view.epoch = view.channel = view.line = $("epoch").value = $("channel").value = $("line").value = "";
		if (!inChain.has(i)) {
			view.scope = $("scope").value = "all";
			view.groups.add(run.events[i].g);
			boxes();
		}
		filter();
	}
	view.at = i;
	const x = X(i), room = (width - left) / view.scale;
	if (x < left + 20 || x > width - 60) view.x = place[i] - room / 2;
	const y = Y(run.events[i].l);
	if (y < stage.scrollTop + top || y > stage.scrollTop + stage.clientHeight - bottom) stage.scrollTop = y - stage.clientHeight / 2;
	describe();
	for (const item of $("chain").children) item.classList.toggle("on", +item.dataset.event === i);
	redraw();
}

// step goes to the neighbour in a list of events.
function step(list, by) {
	if (!list.length) return;
	if (view.at < 0) return select(by > 0 ? list[0] : list[list.length - 1]);
	const next = by > 0 ? list.find(i => i > view.at) : list.findLast(i => i < view.at);
	if (next !== undefined) select(next);
}

// across goes to the nearest event on a line above or below.
function across(by) {
	if (view.at < 0) return;
	for (let l = run.events[view.at].l + by; l >= 0 && l < run.lines.length; l += by) {
		const there = shown.filter(i => run.events[i].l === l);
		if (there.length) return select(there.reduce((a, b) => Math.abs(place[b] - place[view.at]) < Math.abs(place[a] - place[view.at]) ? b : a));
	}
}

// --- hands on ---

function zoom(by, x = left + (width - left) / 2) {
	const at = view.x + (x - left) / view.scale;
	view.scale = Math.min(400, Math.max(0.02, view.scale * by));
	view.x = at - (x - left) / view.scale;
	redraw();
}

function near(x, y) {
	let best = -1, d = 15;
	for (const i of shown) {
		const far = Math.hypot(X(i) - x, Y(run.events[i].l) - y);
		if (far < d) [best, d] = [i, far];
	}
	return best;
}

function hover(x, y) {
	const i = near(x, y);
	tip.hidden = i < 0;
	canvas.style.cursor = i < 0 ? "grab" : "pointer";
	if (i < 0) return;
	tip.textContent = `${run.events[i].s} (${run.events[i].t.toFixed(3)} ms)`;
	tip.style.left = Math.max(0, Math.min(x + 14, width - tip.offsetWidth - 6)) + "px";
	tip.style.top = (y + 18 + tip.offsetHeight > stage.scrollTop + stage.clientHeight ? y - tip.offsetHeight - 12 : y + 18) + "px";
}

let drag = null;
canvas.onpointerdown = e => { drag = { x: e.offsetX, from: view.x, moved: false }; canvas.setPointerCapture(e.pointerId); canvas.focus(); };
canvas.onpointermove = e => {
	if (!drag) return hover(e.offsetX, e.offsetY);
	drag.moved ||= Math.abs(e.offsetX - drag.x) > 3;
	view.x = drag.from - (e.offsetX - drag.x) / view.scale;
	redraw();
};
canvas.onpointerup = e => { if (drag && !drag.moved) select(near(e.offsetX, e.offsetY)); drag = null; };
canvas.onpointerleave = () => { tip.hidden = true; };
canvas.addEventListener("wheel", e => {
	if (e.shiftKey) return; // scrolls the lines
	e.preventDefault();
	if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) { view.x += e.deltaX / view.scale; redraw(); } else zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2, e.offsetX);
}, { passive: false });

const toViolation = () => run.at < run.events.length ? select(run.at) : select(run.chain[run.chain.length - 1] ?? -1);
const refit = () => { fit(shown, 60); redraw(); };
const keys = {
	ArrowRight: e => step(e.shiftKey ? run.chain : shown, 1), ArrowLeft: e => step(e.shiftKey ? run.chain : shown, -1),
	ArrowDown: () => across(1), ArrowUp: () => across(-1),
	"+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), "0": refit, v: toViolation,
	a: () => { $("axis").value = view.axis === "order" ? "time" : "order"; $("axis").onchange(); },
};
document.onkeydown = e => {
	if (e.ctrlKey || e.altKey || e.metaKey || e.target.tagName === "SELECT" || !keys[e.key]) return;
	e.preventDefault();
	keys[e.key](e);
};
$("next").onclick = () => step(shown, 1);
$("back").onclick = () => step(shown, -1);
$("in").onclick = () => zoom(1.4);
$("out").onclick = () => zoom(1 / 1.4);
$("fit").onclick = refit;
$("violation").onclick = toViolation;

function choose(id, values) {
	for (const [value, name] of values) text("option", name, $(id)).value = value;
	$(id).onchange = () => { view[id] = $(id).value; filter(); refit(); describe(); };
}
choose("epoch", run.epochs.map((name, n) => [n, name]));
choose("channel", [...new Set(run.events.map(e => e.c).filter(c => c))].sort((a, b) => a.slice(1) - b.slice(1)).map(c => [c, c]));
choose("line", run.lines.map((l, n) => [n, l.name]));
choose("axis", []);
choose("scope", []);
$("scope").value = view.scope;
$("scope").onchange = () => { view.scope = $("scope").value; filter(); home(); describe(); redraw(); };

function boxes() {
	$("groups").replaceChildren();
	for (const name of groups) {
		const label = text("label", "", $("groups")), box = document.createElement("input");
		box.type = "checkbox";
		box.value = name;
		box.checked = view.groups.has(name);
		box.onchange = () => { view.groups[box.checked ? "add" : "delete"](name); filter(); describe(); redraw(); };
		label.append(box, name);
	}
}

$("copy").onclick = () => {
	const said = () => { $("copied").textContent = "copied"; };
	const byHand = () => { getSelection().selectAllChildren($("replay")); document.execCommand("copy"); said(); };
	navigator.clipboard ? navigator.clipboard.writeText(run.replay).then(said, byHand) : byHand();
};

run.epochs.slice(0, 24).forEach((name, n) => { text("b", name + " ", $("colours")).style.color = colour(n); });
boxes();
filter();
home();
listChain();
if (run.chain.length) toViolation(); else describe();
draw();
addEventListener("resize", () => { resize(); redraw(); });
document.documentElement.dataset.ready = "yes";
})();
