use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore, broadcast, mpsc, oneshot};
use tokio::time::{sleep, timeout};

async fn square(n: u64) -> u64 {
    sleep(Duration::from_millis(20 - n)).await;
    n * n
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("{:?}", join_all((1..=5).map(square)).await);

    let (sender, mut receiver) = mpsc::channel(2);
    let (done, finished) = oneshot::channel();
    tokio::spawn(async move {
        let mut sum = 0;
        while let Some(n) = receiver.recv().await {
            sum += n;
        }
        done.send(sum).unwrap();
    });
    for n in 1..=10u32 {
        sender.send(n).await?;
    }
    drop(sender);
    println!("sum {}", finished.await?);

    let (total, slots) = (Arc::new(Mutex::new(0)), Arc::new(Semaphore::new(3)));
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (total, slots) = (Arc::clone(&total), Arc::clone(&slots));
            tokio::spawn(async move {
                let _slot = slots.acquire().await.unwrap();
                *total.lock().await += n;
            })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    println!("total {}", total.lock().await);

    println!("{}", timeout(Duration::from_millis(10), sleep(Duration::from_secs(60))).await.is_err());
    tokio::select! {
        _ = sleep(Duration::from_secs(60)) => println!("slow"),
        n = square(7) => println!("fast {n}"),
    }

    let (news, _) = broadcast::channel(4);
    let (mut first, mut second) = (news.subscribe(), news.subscribe());
    news.send("hello")?;
    println!("{} {}", first.recv().await?, second.recv().await?);

    let doubled: Vec<u32> = stream::iter(1..=4).map(|n| async move { n * 2 }).buffered(2).collect().await;
    println!("{doubled:?}");
    println!("{}", tokio::task::spawn_blocking(|| (1..=20u64).product::<u64>()).await?);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        stream.write_all(line.trim().to_uppercase().as_bytes()).await.unwrap();
    });
    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"over loopback\n").await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    server.await?;
    println!("{answer}");
    Ok(())
}
