import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RecursiveTask;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

public class Threads {
    static int counter;

    static class Sum extends RecursiveTask<Long> {
        final int from;
        final int to;

        Sum(int from, int to) {
            this.from = from;
            this.to = to;
        }

        @Override
        protected Long compute() {
            if (to - from < 1000) {
                long sum = 0;
                for (int i = from; i < to; i++) {
                    sum += i;
                }
                return sum;
            }
            Sum left = new Sum(from, (from + to) / 2);
            left.fork();
            return new Sum((from + to) / 2, to).compute() + left.join();
        }
    }

    public static void main(String[] args) throws Exception {
        Object lock = new Object();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Thread thread = new Thread(() -> {
                for (int n = 0; n < 10_000; n++) {
                    synchronized (lock) {
                        counter++;
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("counter " + counter);

        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Callable<Integer>> tasks = new ArrayList<>();
        for (int i = 1; i <= 10; i++) {
            int n = i;
            tasks.add(() -> n * n);
        }
        int squares = 0;
        for (Future<Integer> future : pool.invokeAll(tasks)) {
            squares += future.get();
        }
        System.out.println("squares " + squares);

        BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(3);
        CountDownLatch done = new CountDownLatch(1);
        AtomicLong received = new AtomicLong();
        pool.submit(() -> {
            for (int i = 0; i < 100; i++) {
                queue.put(i);
            }
            queue.put(-1);
            return null;
        });
        pool.submit(() -> {
            for (int item = queue.take(); item >= 0; item = queue.take()) {
                received.addAndGet(item);
            }
            done.countDown();
            return null;
        });
        done.await();
        System.out.println("received " + received);

        System.out.println("forked " + new ForkJoinPool(2).invoke(new Sum(0, 100_000)));
        System.out.println(
                "composed "
                        + CompletableFuture.supplyAsync(() -> 20, pool)
                                .thenCombine(CompletableFuture.supplyAsync(() -> 22, pool), Integer::sum)
                                .thenApply(n -> "answer " + n)
                                .get());

        ConcurrentHashMap<String, Integer> words = new ConcurrentHashMap<>();
        CyclicBarrier barrier = new CyclicBarrier(3);
        ReentrantLock last = new ReentrantLock();
        List<Future<?>> workers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            workers.add(pool.submit(() -> {
                barrier.await();
                for (String word : "a b a c".split(" ")) {
                    words.merge(word, 1, Integer::sum);
                }
                last.lock();
                try {
                    return words.size();
                } finally {
                    last.unlock();
                }
            }));
        }
        for (Future<?> worker : workers) {
            worker.get();
        }
        System.out.println("words " + new java.util.TreeMap<>(words));
        pool.shutdown();
    }
}
