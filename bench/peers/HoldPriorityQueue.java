import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.PriorityQueue;

/**
 * The hold model on java.util.PriorityQueue: java HoldPriorityQueue.java PENDING TICKS WARM_TICKS.
 *
 * One line of JSON when ready, then one per line read: the CPU time that TICKS ticks took, and how many timers fired.
 */
public final class HoldPriorityQueue {
	private static final int ENTRIES = 65_536;
	private static final int TICKS_MAX = 1_000;

	private static final class Event implements Comparable<Event> {
		private long time;
		private final int device;

		Event(long time, int device) {
			this.time = time;
			this.device = device;
		}

		@Override
		public int compareTo(Event other) {
			int byTime = Long.compare(time, other.time);
			return byTime != 0 ? byTime : Integer.compare(device, other.device);
		}
	}

	private final PriorityQueue<Event> queue;
	private final int[] delays = new int[ENTRIES];
	private int draws;
	private long now;

	private HoldPriorityQueue(int pending) {
		long state = 1;
		for (int n = 0; n < ENTRIES; n++) {
			state = (state * 1_664_525L + 1_013_904_223L) & 0xffff_ffffL;
			delays[n] = 1 + (int) ((state >>> 8) % TICKS_MAX);
		}
		queue = new PriorityQueue<>(pending);
		for (int device = 0; device < pending; device++) {
			queue.add(new Event(delay(), device));
		}
	}

	private int delay() {
		draws = (draws + 1) & (ENTRIES - 1);
		return delays[draws];
	}

	private long advance(long ticks) {
		long end = now + ticks;
		long events = 0;
		while (queue.peek().time < end) {
			Event event = queue.poll();
			event.time += delay();
			queue.add(event);
			events++;
		}
		now = end;
		return events;
	}

	public static void main(String[] arguments) throws Exception {
		HoldPriorityQueue hold = new HoldPriorityQueue(Integer.parseInt(arguments[0]));
		long ticks = Long.parseLong(arguments[1]);
		hold.advance(Long.parseLong(arguments[2]));
		OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
		System.out.println("{}");
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		while (in.readLine() != null) {
			long start = os.getProcessCpuTime();
			long events = hold.advance(ticks);
			long micros = (os.getProcessCpuTime() - start) / 1_000;
			System.out.printf("{\"events\":%d,\"cpuMicros\":%d}%n", events, micros);
		}
	}
}
