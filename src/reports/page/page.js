// The page's only script (a module, in the page itself): one cursor over all charts of a scenario, and the switch
// between light and dark paper. Everything can be read without it.

const digits = (value) =>
	value === 0 ? "0" : Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });

const scaled = (value, units, base) => {
	let size = value;
	let step = 0;
	while (Math.abs(size) >= base && step < units.length - 1) {
		size /= base;
		step++;
	}
	return `${digits(size)} ${units[step]}`.trim();
};

const count = (value) =>
	Math.abs(value) < 10000 ? digits(value) : scaled(value, ["", "k", "M", "G", "T"], 1000);

const seconds = (value) => {
	if (value === 0) {
		return "0 s";
	}
	if (value < 1) {
		return scaled(value * 1e6, ["µs", "ms", "s"], 1000);
	}
	if (value < 120) {
		return `${digits(value)} s`;
	}
	return value < 7200 ? `${digits(value / 60)} min` : `${digits(value / 3600)} h`;
};

const write = {
	count,
	rate: (value) => `${count(value)}/s`,
	micros: (value) => seconds(value / 1e6),
};

/** The cursor's line in one chart. */
const addLine = ({ svg, y0, y1 }) => {
	const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
	line.setAttribute("class", "cursor");
	line.setAttribute("y1", y0);
	line.setAttribute("y2", y1);
	line.style.display = "none";
	svg.append(line);
	return line;
};

/** The cursor over time: a step is a bucket, and every series has its own. */
const timeAxis = (runs) => ({
	snap: (at) => at,
	step: (at, steps) => (at ?? 0) + steps * runs[0].bucketSeconds,
	words: (at) => `at ${seconds(at)}`,
	valueAt: (run, column, at) =>
		runs[run][column][Math.floor((at - runs[run].startSeconds) / runs[run].bucketSeconds)],
});

const nines = (percent) => -Math.log10(1 - percent / 100);

/** The cursor over percentages: it stands only where a curve has a point. */
const curveAxis = (curves) => {
	const lines = Object.values(curves).flat();
	const percents = [...new Set(lines.flat().map(([percent]) => percent))].sort((a, b) => a - b);
	const nearest = (at) =>
		percents.reduce((best, percent) =>
			Math.abs(nines(percent) - at) < Math.abs(nines(best) - at) ? percent : best,
		);
	return {
		snap: (at) => nines(nearest(at)),
		step: (at, steps) => {
			const place = at === null ? 0 : percents.indexOf(nearest(at)) + steps;
			return nines(percents[Math.min(Math.max(place, 0), percents.length - 1)]);
		},
		words: (at) => `p${nearest(at)}`,
		valueAt: (topic, line, at) => curves[topic][line].find(([percent]) => percent === nearest(at))?.[1],
	};
};

/** Draws the charts' lines and legends' values at a place of the axis; null: no cursor. */
const cursorOf = (panels, charts, axis) => {
	const lines = charts.map(addLine);
	const clocks = panels.map((panel) => panel.querySelector("output[data-clock]"));
	const outputs = panels.flatMap((panel) =>
		[...panel.querySelectorAll("output[data-source]")].map((output) => {
			const [owner, name] = output.dataset.source.split(".");
			return { output, owner, name, show: write[panel.dataset.quantity] };
		}),
	);
	return (at) => {
		charts.forEach(({ x0, x1, from, to }, index) => {
			const x = x0 + ((x1 - x0) * ((at ?? from) - from)) / (to - from);
			lines[index].style.display = at === null || at < from || at > to ? "none" : "";
			lines[index].setAttribute("x1", x);
			lines[index].setAttribute("x2", x);
		});
		for (const { output, owner, name, show } of outputs) {
			const value = at === null ? null : (axis.valueAt(owner, name, at) ?? null);
			output.textContent = at === null ? "" : value === null ? "–" : show(value);
		}
		for (const clock of clocks) {
			clock.textContent = at === null ? "" : axis.words(at);
		}
	};
};

/** The series behind a scenario's charts: JSON, deflated, in base64. */
const unpacked = (series) => {
	const bytes = Uint8Array.from(atob(series), (character) => character.charCodeAt(0));
	const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
	return new Response(inflated).json();
};

const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20 };

/** One cursor over all charts of a scenario that share an axis. */
const link = (kind, panels, opened) => {
	const charts = panels.flatMap((panel) =>
		[...panel.querySelectorAll(".chart")].map((svg) => {
			const [x0, x1, y0, y1] = svg.dataset.plot.split(" ").map(Number);
			const [from, to] = svg.dataset.ends.split(" ").map(Number);
			return { svg, x0, x1, y0, y1, from, to };
		}),
	);
	let ready = null;
	let at = null;
	let waiting = false;
	/** Unpacks the series when somebody first points at a chart. */
	const open = async () => {
		const { runs, curves } = await opened();
		const axis = kind === "time" ? timeAxis(runs) : curveAxis(curves);
		return { axis, draw: cursorOf(panels, charts, axis) };
	};
	const move = async (placeOn) => {
		ready ??= open();
		const { axis, draw } = await ready;
		at = placeOn(axis);
		if (!waiting) {
			waiting = true;
			requestAnimationFrame(() => {
				waiting = false;
				draw(at);
			});
		}
	};
	for (const { svg, x0, x1, from, to } of charts) {
		const within = (place) => Math.min(Math.max(place, from), from + (to - from) * 0.999999);
		const follow = (event) => {
			const box = svg.getBoundingClientRect();
			const x = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
			move((axis) => axis.snap(within(from + ((x - x0) / (x1 - x0)) * (to - from))));
		};
		svg.tabIndex = 0;
		svg.addEventListener("pointermove", follow);
		svg.addEventListener("pointerdown", follow);
		svg.addEventListener("pointerleave", () => move(() => null));
		svg.addEventListener("blur", () => move(() => null));
		svg.addEventListener("keydown", (event) => {
			const steps = KEYS[event.key];
			if (steps) {
				event.preventDefault();
				move((axis) => axis.snap(within(axis.step(at, steps))));
			}
		});
	}
};

for (const figures of document.querySelectorAll(".figures")) {
	let unpacking = null;
	const opened = () => {
		unpacking ??= unpacked(figures.dataset.series);
		return unpacking;
	};
	for (const kind of ["time", "curve"]) {
		const panels = [...figures.querySelectorAll(".panel")].filter((panel) =>
			panel.querySelector(`.chart[data-axis=${kind}]`),
		);
		link(kind, panels, opened);
	}
}

const button = document.getElementById("paper");
const root = document.documentElement;
const dark = () =>
	root.dataset.paper ? root.dataset.paper === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const name = () => {
	button.textContent = dark() ? "Light" : "Dark";
};
button.hidden = false;
button.addEventListener("click", () => {
	root.dataset.paper = dark() ? "light" : "dark";
	name();
});
name();
