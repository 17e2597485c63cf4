//! How much memory does an answer take? Counts what is allocated, and fails where it is out of proportion.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What may be taken for each byte of the answers. A line of a bill needs three bytes (`{},`) and becomes a value of some
/// two hundred, which stands in both readings, in what is known, in the event with what was before, and in their JSON:
/// five hundred times its length in all. What grows with the square of the length goes far beyond.
const PER_BYTE: usize = 1500;

/// What may be taken whatever the answers say.
const BASE: usize = 64 * 1024;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
pub struct Counting;

fn took(bytes: usize) {
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call is handed on as it is to the system's allocator; beside it only numbers are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both pieces are there while it is copied.
        took(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Does it, and panics where that took more memory at once than `bytes` of answers may.
pub fn in_proportion(bytes: usize, does: impl FnOnce()) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    does();
    let (peak, most) = (PEAK.load(Relaxed) - before, BASE + PER_BYTE * bytes);
    assert!(peak <= most, "{bytes} bytes took {peak} bytes of memory at once; {most} are in proportion");
}
