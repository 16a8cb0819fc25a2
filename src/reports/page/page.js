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

/** Draws the charts' lines and legends' values at a time in seconds; null: no cursor. */
const cursorOf = (figures, charts, runs) => {
	const lines = charts.map(addLine);
	const clocks = figures.querySelectorAll("output[data-clock]");
	const outputs = [...figures.querySelectorAll("output[data-source]")].map((output) => {
		const [run, column] = output.dataset.source.split(".");
		return { output, run: runs[run], column, show: write[output.closest(".panel").dataset.quantity] };
	});
	return (at) => {
		charts.forEach(({ x0, x1, end }, index) => {
			const x = x0 + ((x1 - x0) * (at ?? 0)) / end;
			lines[index].style.display = at === null ? "none" : "";
			lines[index].setAttribute("x1", x);
			lines[index].setAttribute("x2", x);
		});
		for (const { output, run, column, show } of outputs) {
			const row = Math.floor(((at ?? 0) - run.startSeconds) / run.bucketSeconds);
			const value = run[column][row] ?? null;
			output.textContent = at === null ? "" : value === null ? "–" : show(value);
		}
		for (const clock of clocks) {
			clock.textContent = at === null ? "" : `at ${seconds(at)}`;
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

const link = (figures) => {
	const charts = [...figures.querySelectorAll(".chart[data-plot]")].map((svg) => {
		const [x0, x1, y0, y1] = svg.dataset.plot.split(" ").map(Number);
		return { svg, x0, x1, y0, y1, end: Number(svg.dataset.end) };
	});
	let opened = null;
	let at = null;
	let waiting = false;
	/** Unpacks the series when somebody first points at a chart. */
	const open = async () => {
		const runs = await unpacked(figures.dataset.series);
		return { runs, draw: cursorOf(figures, charts, runs) };
	};
	const move = async (timeOf) => {
		opened ??= open();
		const { runs, draw } = await opened;
		at = timeOf(runs[0].bucketSeconds);
		if (!waiting) {
			waiting = true;
			requestAnimationFrame(() => {
				waiting = false;
				draw(at);
			});
		}
	};
	for (const { svg, x0, x1, end } of charts) {
		const within = (time) => Math.min(Math.max(time, 0), end * 0.999999);
		const follow = (event) => {
			const box = svg.getBoundingClientRect();
			const x = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
			move(() => within(((x - x0) / (x1 - x0)) * end));
		};
		svg.tabIndex = 0;
		svg.addEventListener("pointermove", follow);
		svg.addEventListener("pointerdown", follow);
		svg.addEventListener("pointerleave", () => move(() => null));
		svg.addEventListener("blur", () => move(() => null));
		svg.addEventListener("keydown", (event) => {
			const step = KEYS[event.key];
			if (step) {
				event.preventDefault();
				move((bucketSeconds) => within((at ?? 0) + step * bucketSeconds));
			}
		});
	}
};

document.querySelectorAll(".figures").forEach(link);

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
