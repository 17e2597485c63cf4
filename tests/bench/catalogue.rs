//! A stock list of ready rows behind the least HTTP that the client needs, so that what is measured is the client.
//!
//! It knows one path and two parameters, `limit` and `page`, and keeps its connections. Each connection has a thread,
//! and each thread adds up its own CPU time, so that the bench can take it off.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// About as many bytes as a row of the captures has; what the fields leave is filled.
const ROW_BYTES: usize = 610;

/// The rows and who hands them out.
pub struct Catalogue {
    rows: Arc<Mutex<Vec<String>>>,
    cpu: Arc<AtomicU64>,
    address: SocketAddr,
}

impl Catalogue {
    /// So many products, on a free port of 127.0.0.1 until the process ends.
    pub fn open(products: usize) -> std::io::Result<Catalogue> {
        let rows = Arc::new(Mutex::new((0..products).map(|number| row(number, 100)).collect::<Vec<_>>()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, cpu) = (listener.local_addr()?, Arc::<AtomicU64>::default());
        let (served, spent) = (Arc::clone(&rows), Arc::clone(&cpu));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (rows, cpu) = (Arc::clone(&served), Arc::clone(&spent));
                // An error is the client's goodbye.
                std::thread::spawn(move || drop(serve(stream, &rows, &cpu)));
            }
        });
        Ok(Catalogue { rows, cpu, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its threads have used until now, but for the answers under way.
    pub fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu.load(Ordering::Relaxed))
    }

    /// How long a row is, in the mean.
    pub fn row_bytes(&self) -> usize {
        let rows = lock(&self.rows);
        rows.iter().map(String::len).sum::<usize>() / rows.len().max(1)
    }

    /// Gives each `one_in`-th product another price, and another one each round.
    pub fn change(&self, one_in: usize, round: usize) {
        for (number, text) in lock(&self.rows).iter_mut().enumerate().filter(|(number, _)| number % one_in == round) {
            *text = row(number, 100 + round);
        }
    }
}

/// A product as the API writes it.
fn row(number: usize, price: usize) -> String {
    let head = format!(
        "{{\"_id\":\"{:024x}\",\"code\":\"PK{number:08}\",\"name\":\"ข้าวหอมมะลิแท้ 5 กก. แบบ {number}\",\
         \"barcode_code\":\"885{number:010}\",\"price\":{price},\"cost\":80.50,\"category\":{{\"_id\":\"{number:024x}\",\
         \"name\":\"ข้าวสาร\"}},\"unit\":{{\"name\":\"ถุง\"}},\"stock\":{},\"min_stock\":5,\"delete\":false,\"image\":null,\
         \"lastupdate\":\"2026-11-23T03:00:00.000Z\",\"description\":\"",
        0x600c_45c6_0000_0000_u64 + number as u64,
        20 + number % 50,
    );
    let rest = ROW_BYTES.saturating_sub(head.len() + 2);
    format!("{head}{}\"}}", "x".repeat(rest))
}

fn serve(stream: TcpStream, rows: &Mutex<Vec<String>>, cpu: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut stream = stream;
    let mut before = thread_time();
    while let Some(first) = lines.next() {
        let first = first?;
        // The headers end with an empty line.
        for line in lines.by_ref() {
            if line?.is_empty() {
                break;
            }
        }
        stream.write_all(answer(&first, &lock(rows)).as_bytes())?;
        let now = thread_time();
        cpu.fetch_add(u64::try_from((now - before).as_nanos()).unwrap_or_default(), Ordering::Relaxed);
        before = now;
    }
    Ok(())
}

/// The answer to `GET /stock/pagination?limit=200&page=3 HTTP/1.1`.
fn answer(request: &str, rows: &[String]) -> String {
    let number = |name: &str| {
        let value = request.split(['?', '&', ' ']).find_map(|part| part.strip_prefix(name));
        value.and_then(|value| value.parse::<usize>().ok()).unwrap_or(1)
    };
    let limit = number("limit=");
    let start = ((number("page=") - 1) * limit).min(rows.len());
    let page = rows[start..(start + limit).min(rows.len())].join(",");
    let body = format!(
        "{{\"success\":1,\"data\":[{page}],\"total\":{},\"total_page\":{}}}",
        rows.len(),
        rows.len().div_ceil(limit)
    );
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
