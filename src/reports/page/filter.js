// The filter over scenarios: by words of name and title, and by verdict. A link to a hidden scenario ends it.
{
	const form = document.querySelector(".filter");
	const rows = [...document.querySelectorAll(".grid tbody tr")];
	const partsOf = (slug) => [
		document.getElementById(slug),
		document.querySelector(`.top nav [data-of="${slug}"]`),
	];
	const apply = () => {
		const words = form.querySelector("input[type=search]").value.toLowerCase().split(/\s+/);
		const verdict = new FormData(form).get("verdict");
		let shown = 0;
		for (const row of rows) {
			const text = row.querySelector("th").textContent.toLowerCase();
			const fits =
				(!verdict || row.dataset.verdict === verdict) && words.every((word) => text.includes(word));
			shown += fits ? 1 : 0;
			for (const part of [row, ...partsOf(row.dataset.of)]) {
				part.hidden = !fits;
			}
		}
		document.getElementById("filter-count").textContent =
			shown === rows.length ? "" : `${shown} of ${rows.length} scenarios`;
	};
	const reveal = () => {
		const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
		target?.closest("details")?.setAttribute("open", "");
		if (form && target?.closest("[hidden]")) {
			form.reset();
			apply();
			target.scrollIntoView();
		}
	};
	if (form) {
		form.hidden = false;
		form.addEventListener("input", apply);
		form.addEventListener("submit", (event) => event.preventDefault());
	}
	addEventListener("hashchange", reveal);
	reveal();
}
