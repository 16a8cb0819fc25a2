/** An expression in place of a value. */
export interface ValueReference {
	readonly expr: string;
}

/**
 * What one chart puts into a Vega-Lite specification: the specification names values and rows, and holds none itself. Charts of one
 * shape then share one compiled specification, and compiling is most of the work.
 */
export class ChartValues {
	readonly values = new Map<string, unknown>();
	readonly rows = new Map<string, readonly object[]>();

	/** A value, wherever Vega-Lite takes an expression. */
	value(value: unknown): ValueReference {
		return { expr: this.name(value) };
	}

	/** The name of a value, for an expression of one's own. */
	name(value: unknown): string {
		const name = `v${this.values.size}`;
		this.values.set(name, value);
		return name;
	}

	/** The data of a layer. */
	data(rows: readonly object[]): { readonly name: string } {
		const name = `d${this.rows.size}`;
		this.rows.set(name, rows);
		return { name };
	}
}
