/** Of one key: its meaning, what it is when the file leaves it out, and what it takes where the schema alone does not say. */
export type Meaning = readonly [meaning: string, otherwise: string | null, takes?: string];

const fromProfile = "the profile's";
const calibrated = "[the calibration's](calibration.md)";
/** Of a resolved scenario: the generator of the reference looks it up. */
const looked = null;

/**
 * What each key of a scenario file means, by the map that it is in: for the JSON Schema and for docs/scenarios.md, whose
 * generator fails on a key of the schema that is missing here, and on one here that the schema does not have.
 */
export const MEANINGS = {
	scenario: {
		schema: ["The schema of this file.", "must be there"],
		extends: [
			"Another scenario that this one starts from: a catalogue name, or a file that ends in .yaml, relative to this one. Maps are merged key by key; lists and texts replace.",
			"nothing",
		],
		name: ["Its name in reports. Never inherited.", "the file's name"],
		title: ["One line for the catalogue and the report.", "the name"],
		teaches: ["What the scenario shows.", "empty"],
		sources: ["Where its numbers come from, one citation a line.", "none"],
		duration: ["Virtual time from the start to the end.", "must be there"],
		seed: ["Seed of all chance. `--seed` overrides it.", "`klais`"],
		devices: ["The fleet.", "must be there"],
		gateways: ["The ingest gateways.", "4 of them"],
		broker: ["The Kafka cluster behind them.", "see below"],
		outages: ["What goes wrong, and when.", "none"],
		attacks: ["Who attacks, and when; see below.", "nobody"],
		policies: ["The policies compared when the command line names none, in report order.", "`none`, `klais`"],
		expect: [
			"What must hold at the end of a run, or it fails; see below.",
			"only what holds on any scenario",
			"an expectation, or a list of them and of policies with theirs",
		],
		margins: [
			"How far metrics may move before [the gate](gate.md) fails: `2%`, `50` or `any` by metric; `*` in a metric stands for anything.",
			"not at all",
			"a map of metrics",
		],
	},
	devices: {
		count: [
			"Devices. More than 10,000,000 are refused, with the memory that they would take.",
			"must be there",
			"a whole number from 1",
		],
		firmware: ["A profile by name, or a map that starts from one and changes it.", "`smart-meter`"],
		link: ["A profile by name, or a map that starts from one and changes it.", "`lte-m`"],
		clocks: ["Devices whose clock is wrong.", "every clock is right"],
		outageOrder: [
			"Which devices outages take first: a random sample of the fleet, or those of gateway 0, then those of gateway 1 and so on.",
			"`random`",
		],
	},
	clocks: {
		reset: ["Share of devices without a clock: theirs begins anew each time that power comes.", "0"],
		ahead: ["Share of devices whose clock is thirty days ahead.", "0"],
		drifting: ["Share of devices whose clock is fast or slow.", "0"],
		drift: ["How fast or slow at most; drawn uniformly per device.", "200ppm"],
	},
	firmware: {
		profile: ["The profile to start from.", "`smart-meter`"],
		readingInterval: ["Time between two readings of one device.", fromProfile],
		reportInterval: ["Time between two reports; a multiple of `readingInterval`.", fromProfile],
		keepAlive: ["Time between signs of life; 0: the report is the only one.", fromProfile],
		bufferKind: ["Whether unsent readings survive a power loss.", fromProfile],
		bufferReadings: ["Readings that the buffer holds.", fromProfile],
		overflow: ["What a full buffer gives up.", fromProfile],
		backup: ["Whether the sensor reads on without mains power. The modem never does.", fromProfile],
		bootMin: ["Least time from power on until the modem is attached.", fromProfile],
		bootMax: ["Most time from power on until the modem is attached; drawn uniformly per boot.", fromProfile],
		backoff: [
			"Wait between attempts to connect. Its kind is used under `klais`, base and cap under every policy (see the methodology).",
			fromProfile,
		],
		helloTimeout: ["First wait for an answer to HELLO; doubles per attempt.", fromProfile],
		helloTimeoutMax: ["Longest wait for an answer to HELLO.", fromProfile],
		requestTimeout: ["Wait for an acknowledgement of DATA under policy `none`.", fromProfile],
		windowFrames: ["DATA frames on their way per lane.", fromProfile],
		frameReadings: ["Readings in one DATA frame, at most.", fromProfile],
		readingBytes: [
			"Bytes of one reading in Kafka; sets the default queue and batch of the gateways.",
			fromProfile,
		],
	},
	backoff: {
		kind: ["How waits grow.", fromProfile],
		base: ["First wait.", fromProfile],
		cap: ["Longest wait.", fromProfile],
	},
	link: {
		profile: ["The profile to start from.", "`lte-m`"],
		min: [
			"Shortest one-way latency. With the broker's `commitMin` it sets the engine's time slice.",
			fromProfile,
		],
		median: ["Median one-way latency.", fromProfile],
		p99: ["99th percentile of the one-way latency.", fromProfile],
		max: ["Longest one-way latency.", fromProfile],
		loss: ["Chance that a frame is lost.", fromProfile],
		duplicate: ["Chance that a frame arrives twice.", fromProfile],
		reorder: [
			"Chance that a frame takes three times its latency, and so arrives behind later ones.",
			fromProfile,
		],
		uplink: ["Bits per second from the device upwards; 0 for no limit.", fromProfile],
	},
	gateways: {
		count: [
			"Gateways. Device `d` is in shard `d mod partitions`; shard `s` belongs to gateway `s mod count` while that one is there.",
			looked,
		],
		helloCpu: ["CPU time of one admitted session; refused ones then cost nothing.", calibrated],
		dataCpu: ["CPU time of one DATA frame; refused ones then cost nothing.", calibrated],
		readingCpuNanos: ["CPU time per reading, nanoseconds.", calibrated],
		receiveQueueFrames: ["Frames that wait for one gateway's CPU; more are dropped.", looked],
		sinkQueueReadings: [
			"Readings that wait in one gateway for the broker; more are dropped.",
			"32 MiB of `readingBytes`",
		],
		commitInterval: ["Time between two transactions of a producer, under `static` and `klais`.", looked],
		sinkInFlightBatches: ["Produce requests of one gateway on their way, under policy `none`.", looked],
		sinkBatchReadings: ["Readings in one transaction or produce request.", "1 MiB of `readingBytes`"],
		sessions: [
			"Sessions per second that one gateway admits under `static` and `klais`.",
			"the fleet in 20 minutes, at most 80 % of the CPU",
		],
		slotWindow: ["How late a device may come back to its session slot.", looked],
		detectAfter: [
			"How long a gateway takes to learn that another one is gone, or back. Without meaning where there is a `swarm`.",
			looked,
		],
		swarm: [
			"Whether the gateways are a [swarm](swarm.md), under `static` and `klais`: they find out who is there by themselves, and share threats. `true`, or a map of what becomes of gossip. Never rests, so it is for hours and not for weeks.",
			"`false`",
			"`true`, `false` or a map",
		],
	},
	swarm: {
		delayMin: ["Least delay of a datagram from one gateway to another.", "100us"],
		delayMax: ["Most delay; drawn uniformly per datagram.", "400us"],
		loss: ["Chance that a datagram is lost.", "0"],
	},
	attacks: {
		kind: ["Who attacks, and how; see the list below.", "must be there"],
		at: ["When it begins, from the scenario's start.", "must be there"],
		until: ["When it ends.", "must be there"],
		devices: [
			"Not for `liar`: how many devices, or addresses. They come on top of the fleet, and scale with it.",
			"must be there",
		],
		perDevice: ["Not for `liar`: frames per second of each one.", "12/s"],
		gateways: [
			"Not for `liar`: to how many gateways each one turns, one after the other.",
			"all; 1 for `data-flood`",
		],
		gateway: ["`liar` only: which gateway, by its number.", "0"],
		accusations: ["`liar` only: how many it accuses per second. One in sixteen is an address.", "1000/s"],
	},
	broker: {
		partitions: ["Partitions of the topic, and shards of devices: what one gateway owns at a time.", looked],
		nodes: [
			"Broker nodes; each takes its share of the capacity. Partition `p` is led by node `p mod nodes`.",
			looked,
		],
		capacity: ["Readings per second that the whole cluster stores.", "twice the live load"],
		commitMin: ["Shortest commit latency of an idle broker.", looked],
		commitMedian: ["Median commit latency of an idle broker.", looked],
		commitP99: ["99th percentile of it.", looked],
		requestTimeout: ["A batch that takes longer has failed for its gateway.", looked],
		queuedRequests: [
			"Requests that the cluster takes in before it stops reading, under policy `none`.",
			looked,
		],
	},
	outages: {
		kind: ["What happens; see the list below.", "must be there"],
		at: ["When it begins, from the scenario's start.", "must be there, unless `cohorts` is"],
		until: [
			"When it ends. Gateways, nodes and brokers always come back: no `never`.",
			"must be there, unless `cohorts` is",
		],
		share: ["Which part of the fleet it hits.", "must be there, unless `cohorts` is"],
		spread: ["Devices come back evenly over this long after `until`.", "0s: in one lump"],
		cohorts: [
			"A CSV file, relative to the scenario, in place of `at`, `until`, `share` and `spread`.",
			"none",
		],
		loss: ["`brown-out` only: chance that a frame is lost, on top of the link's.", "20%"],
		duplicate: ["`brown-out` only: chance that a frame arrives twice, on top of the link's.", "0"],
		reorder: ["`brown-out` only: chance that a frame arrives behind later ones, on top of the link's.", "0"],
		latencyFactor: ["`brown-out` only: how many times slower frames are.", "4"],
		gateways: [
			"`gateway`, `gateway-freeze`, `gateway-cut`, `gateway-partition`: how many it hits. Faults that overlap hit different ones.",
			"all for `gateway`, 1 for the others",
		],
		down: [
			"`gateway` only: `process`: its port refuses what comes; `machine`: nobody answers at all.",
			"`process`",
		],
		takeover: [
			"`gateway` only: whether the others notice and take its devices. `false`: as when it is back before anyone has noticed.",
			"`true`",
		],
		from: [
			"`gateway-cut` only: whom it cannot talk to.",
			"all three",
			"a list of `devices`, `peers`, `broker`",
		],
		direction: ["`gateway-cut` only: `in`: nothing comes in; `out`: nothing gets out; `both`.", "`both`"],
		reachesBroker: [
			"`gateway-partition` only: whether the gateways that are parted reach the broker.",
			"`true`",
		],
		factor: ["`broker-slow` only: what is left of the capacity.", "", "above 0%, at most 100%"],
		nodes: ["`leader-loss` only: how many nodes of the broker it hits.", "1"],
	},
} as const satisfies Readonly<Record<string, Readonly<Record<string, Meaning>>>>;

/** Every kind of outage, in words. */
export const OUTAGE_KINDS: Readonly<Record<string, string>> = {
	power: "The devices have no power. Their modems boot when it returns.",
	refused: "No way through, and the network says so: connections are reset and attempts refused.",
	"black-holed": "No way through, and nobody says so: frames vanish in both directions.",
	"half-open": "Frames go up, no answer comes down.",
	"brown-out": "The link stays up, but delays and loses, and doubles and reorders where it says so.",
	gateway:
		"Gateways die: sessions, queues and open transactions are gone. Others take their devices. Under `none` connections are reset at once; under datagrams a device notices when it sends.",
	"gateway-freeze":
		"Gateways stop in mid-work, are replaced, and wake as if nothing had happened: zombies that others have fenced meanwhile.",
	"gateway-cut":
		"Gateways run, but are cut off: from devices, from each other, from the broker. Cut from each other, several take themselves for the owner of one shard.",
	"gateway-partition":
		"Gateways are parted from the others: they hear each other, and no gateway of the other side. Devices reach both sides.",
	broker: "The broker takes nothing and commits nothing.",
	"broker-slow":
		"The broker works at a part of its capacity: a node is missing, or disks rebuild. The ideal sink knows it, gateways are not told.",
	"leader-loss":
		"Nodes of the broker die: their partitions have no leader until `until`, and what was on its way to them fails, with nobody knowing whether it was stored.",
};

/** Every kind of attack, in words. */
export const ATTACK_KINDS: Readonly<Record<string, string>> = {
	"hello-flood":
		"Devices with good keys say HELLO without end, each time as if it were a new attempt, with a long backlog.",
	"data-flood": "Devices with good keys send live readings without end, in full frames.",
	forge: "Addresses send DATA in the names of the fleet's devices, under no key.",
	liar: "A gateway says, with its own key, that devices of the fleet and their addresses are threats. It does not believe itself.",
};
