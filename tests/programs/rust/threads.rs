use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc};
use std::thread;

fn main() {
    let (sender, receiver) = mpsc::channel();
    for worker in 0..4u64 {
        let sender = sender.clone();
        thread::spawn(move || {
            for step in 0..5 {
                sender.send((worker, worker * 10 + step)).unwrap();
            }
        });
    }
    drop(sender);
    let mut by_worker: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (worker, value) in receiver {
        by_worker.entry(worker).or_default().push(value);
    }
    for (worker, values) in &by_worker {
        println!("worker {worker}: {values:?}");
    }

    let total = Arc::new(Mutex::new(0u64));
    let hits = Arc::new(AtomicU64::new(0));
    let handles: Vec<_> = (1..=8u64)
        .map(|n| {
            let (total, hits) = (Arc::clone(&total), Arc::clone(&hits));
            thread::spawn(move || {
                for i in 0..1000 {
                    *total.lock().unwrap() += n * i;
                    hits.fetch_add(1, Ordering::Relaxed);
                }
                n * n
            })
        })
        .collect();
    let squares: Vec<u64> = handles.into_iter().map(|handle| handle.join().unwrap()).collect();
    println!("total {} after {} steps, {squares:?}", total.lock().unwrap(), hits.load(Ordering::SeqCst));

    let data: Vec<u32> = (1..=1000).collect();
    let parts: Vec<u32> = thread::scope(|scope| {
        let handles: Vec<_> = data.chunks(250).map(|part| scope.spawn(move || part.iter().sum())).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    println!("parts {parts:?}, sum {}", parts.iter().sum::<u32>());

    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waiting = {
        let gate = Arc::clone(&gate);
        thread::spawn(move || {
            let (open, changed) = &*gate;
            let _open = changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap();
            "through the gate"
        })
    };
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    println!("{}", waiting.join().unwrap());

    let barrier = Arc::new(Barrier::new(3));
    let board = Arc::new(RwLock::new(vec![0; 3]));
    let leaders: usize = (0..3)
        .map(|n| {
            let (barrier, board) = (Arc::clone(&barrier), Arc::clone(&board));
            thread::spawn(move || {
                board.write().unwrap()[n] = n + 1;
                let leader = barrier.wait().is_leader();
                assert_eq!(board.read().unwrap().iter().sum::<usize>(), 6);
                leader as usize
            })
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|handle| handle.join().unwrap())
        .sum();
    println!("{leaders} leader, board {:?}", board.read().unwrap());

    let failed = thread::spawn(|| panic!("on purpose")).join();
    println!("{}", failed.unwrap_err().downcast_ref::<&str>().unwrap());
}
