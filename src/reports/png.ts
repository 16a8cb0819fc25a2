import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";

const require = createRequire(import.meta.url);

/**
 * Inter 4, by the Inter Project Authors, under the SIL Open Font License 1.1 (LICENSE_FONT of the package). Pinned,
 * so that a picture is the same on machines with other fonts, or with none.
 */
function fontFiles(): string[] {
	return [
		require.resolve("@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf"),
		require.resolve("@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf"),
	];
}

/** Draws a stand-alone SVG (fixed colours) as PNG, `scale` pixels a unit. */
export function svgToPng(svg: string, scale = 2): Buffer {
	const picture = new Resvg(svg, {
		fitTo: { mode: "zoom", value: scale },
		font: {
			loadSystemFonts: false,
			fontFiles: fontFiles(),
			defaultFontFamily: "Inter",
			sansSerifFamily: "Inter",
		},
	});
	return picture.render().asPng();
}
