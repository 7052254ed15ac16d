import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

void main() throws Exception {
    AtomicInteger most = new AtomicInteger();
    AtomicInteger now = new AtomicInteger();
    Semaphore ten = new Semaphore(10);
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
        var futures =
                IntStream.range(0, 2_000)
                        .mapToObj(i -> executor.submit(() -> {
                            ten.acquire();
                            try {
                                most.accumulateAndGet(now.incrementAndGet(), Math::max);
                                Thread.sleep(Duration.ofMillis(1));
                                return i;
                            } finally {
                                now.decrementAndGet();
                                ten.release();
                            }
                        }))
                        .toList();
        long sum = 0;
        for (Future<Integer> future : futures) {
            sum += future.get();
        }
        IO.println("sum " + sum);
    }
    IO.println("at most ten at a time: " + (most.get() <= 10));
    Thread thread = Thread.ofVirtual().name("worker").start(() -> IO.println(Thread.currentThread().getName()));
    thread.join();
    IO.println(thread.isVirtual() + " " + thread.isAlive());
}
