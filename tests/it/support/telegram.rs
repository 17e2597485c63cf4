//! A Bot API server on loopback: takes `sendMessage` and shows the texts, or answers as told. It can be as strict as the
//! real one: one message a second into a chat, 20 a minute into a group, and a wait that must be kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::rig::monotonic;

/// What the server says to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Takes the message.
    Take,
    /// Takes the message, and tells of it in a form that no library knows.
    TakeInAnotherForm,
    /// 429, with `parameters.retry_after` in seconds.
    TooMany(u32),
    /// An error in the API's own form: code and description.
    Error(u16, &'static str),
    /// A 502 from a proxy in front of the API, in HTML.
    Html,
}

/// A message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The path of the call: `/bot` and the token, the method.
    pub path: String,
    /// The chat it is for.
    pub chat_id: i64,
    /// What it says.
    pub text: String,
    /// Whether the preview of links is off.
    pub without_preview: bool,
    /// Whether it makes no sound.
    pub without_sound: bool,
}

struct Desk {
    answer: Mutex<Answer>,
    messages: Mutex<Vec<Message>>,
    rules: Mutex<Rules>,
}

/// How strict the server is, and what has come so far.
#[derive(Default)]
struct Rules {
    rates: Vec<(usize, Duration)>,
    /// The call with this number, from 1 on, is told to wait so many seconds.
    refuses: Option<(usize, u32)>,
    calls: usize,
    refused: Vec<String>,
    early: usize,
    chats: BTreeMap<i64, Chat>,
}

#[derive(Default)]
struct Chat {
    taken: Vec<Duration>,
    waits_until: Duration,
}

/// So many messages in so long: into any chat, and into a group besides.
const RATES: [(usize, Duration); 2] = [(1, Duration::from_secs(1)), (20, Duration::from_secs(60))];

impl Rules {
    /// Counts a call, and says for how many seconds its chat has to wait, if it has to.
    fn wait_for(&mut self, message: &Message) -> Option<u32> {
        let now = monotonic();
        self.calls += 1;
        let chat = self.chats.entry(message.chat_id).or_default();
        let mut wait = chat.waits_until.saturating_sub(now);
        self.early += usize::from(!wait.is_zero());
        if let Some((_, seconds)) = self.refuses.filter(|(number, _)| *number == self.calls) {
            wait = wait.max(Duration::from_secs(seconds.into()));
        }
        let of_person = message.chat_id > 0;
        for (most, window) in self.rates.iter().take(if of_person { 1 } else { usize::MAX }) {
            let counted: Vec<Duration> = chat.taken.iter().filter(|at| **at + *window > now).copied().collect();
            if counted.len() >= *most {
                wait = wait.max(counted[counted.len() - most] + *window - now);
            }
        }
        if wait.is_zero() {
            chat.taken.push(now);
            return None;
        }
        self.refused.push(message.text.clone());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        chat.waits_until = now + wait;
        Some(u32::try_from(seconds).expect("is a short wait"))
    }
}

/// The server. It stops when this is dropped.
pub struct BotApi {
    address: SocketAddr,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl BotApi {
    /// A server that takes every message.
    #[allow(clippy::disallowed_methods, reason = "the outside world runs beside the test")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("is bound");
        let desk =
            Arc::new(Desk { answer: Mutex::new(Answer::Take), messages: Mutex::default(), rules: Mutex::default() });
        let router = Router::new().fallback(call).with_state(Arc::clone(&desk));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serves until it is stopped");
        });
        Self { address, desk, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `api_url` of a channel.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on, say this to every call.
    pub fn answer(&self, answer: Answer) {
        *self.desk.answer.lock().expect("no test panics with the lock") = answer;
    }

    /// From now on, keep the rates of the real server.
    pub fn be_strict(&self) {
        self.keep_rates(&RATES);
    }

    /// From now on, keep these rates, into a person's chat only the first of them.
    pub fn keep_rates(&self, rates: &[(usize, Duration)]) {
        self.rules().rates = rates.to_vec();
    }

    /// Tell the call with this number, from 1 on, to wait so many seconds.
    pub fn refuse(&self, number: usize, seconds: u32) {
        self.rules().refuses = Some((number, seconds));
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.rules().calls
    }

    /// The texts of the calls that were told to wait.
    pub fn refused(&self) -> Vec<String> {
        self.rules().refused.clone()
    }

    /// How many calls came during a wait.
    pub fn early(&self) -> usize {
        self.rules().early
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.desk.rules.lock().expect("no test panics with the lock")
    }

    /// The messages that were taken, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.desk.messages.lock().expect("no test panics with the lock").clone()
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn call(State(desk): State<Arc<Desk>>, uri: Uri, body: String) -> Response {
    let mut answer = desk.answer.lock().expect("no test panics with the lock").clone();
    let said: Value = serde_json::from_str(&body).expect("the call is JSON");
    let message = read(&uri, &said);
    if let Some(seconds) = desk.rules.lock().expect("no test panics with the lock").wait_for(&message) {
        answer = Answer::TooMany(seconds);
    }
    let (status, told) = match answer {
        Answer::Take | Answer::TakeInAnotherForm => {
            let told = match answer {
                Answer::Take => json!({"ok": true, "result": {
                    "message_id": 1, "date": 1_768_444_200, "text": message.text,
                    "chat": {"id": message.chat_id, "type": "supergroup", "title": "shop"},
                }}),
                _ => json!({"ok": true, "result": {"message_id": {"of": "another kind"}}}),
            };
            desk.messages.lock().expect("no test panics with the lock").push(message);
            (200, told)
        }
        Answer::TooMany(seconds) => {
            let description = format!("Too Many Requests: retry after {seconds}");
            let parameters = json!({"retry_after": seconds});
            let told = json!({"ok": false, "error_code": 429, "description": description, "parameters": parameters});
            let headers =
                [(header::CONTENT_TYPE, "application/json".to_owned()), (header::RETRY_AFTER, seconds.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, headers, told.to_string()).into_response();
        }
        Answer::Error(code, description) => {
            (code, json!({"ok": false, "error_code": code, "description": description}))
        }
        Answer::Html => return (StatusCode::BAD_GATEWAY, "<html>502</html>").into_response(),
    };
    let status = StatusCode::from_u16(status).expect("is a status");
    (status, [(header::CONTENT_TYPE, "application/json")], told.to_string()).into_response()
}

fn read(uri: &Uri, said: &Value) -> Message {
    Message {
        path: uri.path().to_owned(),
        chat_id: said["chat_id"].as_i64().expect("a chat is a number"),
        text: said["text"].as_str().expect("a text is a text").to_owned(),
        without_preview: said["link_preview_options"]["is_disabled"] == true,
        without_sound: said["disable_notification"] == true,
    }
}
