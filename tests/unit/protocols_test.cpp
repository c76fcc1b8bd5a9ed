// SPDX-License-Identifier: Apache-2.0
// Turns, transactions and logins as the kernel side reads them from bytes. Messages are made by hand after the
// documents that the headers in bpf/ name.
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "conversation.h"
#include "wire.h"

namespace {

using namespace std::string_literals;

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
bool client(const std::string& text) {
  return conversation_client(bytes_of(text), static_cast<unsigned>(text.size())) == 0;
}
bool server(const std::string& text) {
  return conversation_server(bytes_of(text), static_cast<unsigned>(text.size())) == 0;
}
void begin(bool late = false, unsigned short port = 0, int expected = 0) {
  conversation_begin(late ? 1 : 0, port, expected);
}
bool clients_turn() { return conversation_state().turn == WIRE_TURN_CLIENT; }

std::string little(std::uint64_t number, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> 8 * i);
  return out;
}
std::string big(std::uint64_t number, int bytes) {
  const std::string out = little(number, bytes);
  return {out.rbegin(), out.rend()};
}

// ---- MongoDB
std::string mongo(std::uint32_t id, std::uint32_t answers, const std::string& command, std::uint32_t flags = 0,
                  std::size_t padding = 0) {
  const std::string value = "\x10"s + command + '\0' + little(1, 4);
  const std::string document = little(value.size() + 5 + padding, 4) + value + std::string(padding, 'x') + '\0';
  const std::string body = little(flags, 4) + '\0' + document;
  return little(body.size() + 16, 4) + little(id, 4) + little(answers, 4) + little(2013, 4) + body;
}

// ---- TDS
std::string tds(int type, const std::string& data, int status = 1) {
  return std::string{static_cast<char>(type), static_cast<char>(status)} + big(data.size() + 8, 2) + "\0\0\1\0"s +
         data;
}
std::string tds_batch(std::uint64_t transaction, int status = 1) {
  return tds(1,
             little(22, 4) + little(18, 4) + little(2, 2) + little(transaction, 8) + little(1, 4) + "S\0E\0L\0"s,
             status);
}
const std::string kDone = "\xFD"s + little(0, 2) + little(0xC1, 2) + little(1, 8);
const std::string kDoneMore = "\xFD"s + little(1, 2) + little(0xC1, 2) + little(1, 8);
std::string tds_change(int what) {
  return "\xE3"s + little(11, 2) + static_cast<char>(what) + "\x08"s + little(7, 8) + "\0"s;
}
const std::string kPrelogin = tds(0x12, "\0\0\x0B\0\6\1\0\x11\0\1\xFF"s + "\0\0\0\0\0\0\0"s);

// ---- Oracle
std::string tns(int type, const std::string& data) {
  return big(data.size() + 8, 2) + "\0\0"s + static_cast<char>(type) + "\0\0\0"s + data;
}
std::string tns_call(int function) { return tns(6, "\0\0\3"s + static_cast<char>(function) + "some arguments"s); }

// ---- Cassandra
std::string cql(int operation, const std::string& body, int version = 4) {
  return std::string{static_cast<char>(version), '\0', '\0', '\1', static_cast<char>(operation)} +
         big(body.size(), 4) + body;
}
const std::string kStartup = cql(1, "\0\1\0\x0B"s + "CQL_VERSION"s + "\0\5"s + "3.0.0"s);

}  // namespace

TEST_CASE("MongoDB: hello and authentication are the login, a reply ends with its last byte", "[protocols]") {
  begin();
  REQUIRE(client(mongo(1, 0, "hello")));
  CHECK(conversation_state().protocol == WIRE_PROTOCOL_MONGODB);
  CHECK_FALSE(clients_turn());
  CHECK(server(mongo(91, 1, "ok")));
  CHECK(clients_turn());
  CHECK(conversation_state().ready);
  CHECK(client(mongo(2, 0, "saslStart")));
  CHECK(server(mongo(92, 2, "ok")));
  CHECK(conversation_state().requests == 0);

  CHECK(client(mongo(3, 0, "find")));
  CHECK(conversation_state().requests == 1);
  const std::string reply = mongo(93, 3, "cursor", 0, 5000);
  CHECK(server(reply.substr(0, 1400)));
  CHECK_FALSE(clients_turn());
  CHECK(server(reply.substr(1400, 2000)));
  CHECK_FALSE(clients_turn());
  CHECK(server(reply.substr(3400)));
  CHECK(clients_turn());
  // What answers something else is no answer.
  CHECK(client(mongo(4, 0, "insert")));
  CHECK(server(mongo(94, 3, "ok")));
  CHECK_FALSE(clients_turn());
  CHECK(server(mongo(95, 4, "ok")));
  CHECK(clients_turn());
  CHECK(conversation_state().transaction == WIRE_TRANSACTION_UNKNOWN);
}

TEST_CASE("MongoDB: unacknowledged writes leave the turn, monitors wait for the server", "[protocols]") {
  begin();
  client(mongo(1, 0, "hello"));
  server(mongo(91, 1, "ok"));
  CHECK(client(mongo(2, 0, "insert", 2)));
  CHECK(clients_turn());
  CHECK((conversation_state().flags & WIRE_FLAG_STREAM) == 0);
  CHECK(client(mongo(3, 0, "hello", 1U << 16)));
  CHECK((conversation_state().flags & WIRE_FLAG_STREAM) != 0);
  CHECK(server(mongo(92, 3, "ok", 2)));
  CHECK_FALSE(clients_turn());
}

TEST_CASE("TDS: the end of a reply, and the transaction in requests and replies", "[protocols]") {
  begin();
  REQUIRE(client(kPrelogin));
  CHECK(conversation_state().protocol == WIRE_PROTOCOL_TDS);
  CHECK(server(tds(4, "\0\0\6\0\6\xFF"s + "\1\2\3\4\5\6"s)));
  CHECK(clients_turn());
  CHECK_FALSE(conversation_state().ready);
  CHECK(client(tds(0x10, std::string(120, 'l'))));
  CHECK(server(tds(4, "\xAD"s + std::string(60, 'a') + kDone)));
  CHECK(conversation_state().ready);
  CHECK(conversation_state().requests == 0);

  CHECK(client(tds_batch(0)));
  CHECK(conversation_state().requests == 1);
  CHECK(server(tds(4, std::string(300, 'r') + kDoneMore)));
  CHECK_FALSE(clients_turn());
  CHECK(server(tds(4, std::string(30, 'r') + kDone)));
  CHECK(clients_turn());
  CHECK(conversation_state().transaction == WIRE_TRANSACTION_NONE);

  CHECK(client(tds_batch(0)));
  CHECK(server(tds(4, tds_change(8) + kDone)));
  CHECK(conversation_state().transaction == WIRE_TRANSACTION_OPEN);
  CHECK(client(tds_batch(7)));
  CHECK(server(tds(4, std::string(30, 'r') + kDone)));
  CHECK(conversation_state().transaction == WIRE_TRANSACTION_OPEN);
  CHECK(client(tds_batch(7)));
  CHECK(server(tds(4, tds_change(9) + kDone)));
  CHECK(conversation_state().transaction == WIRE_TRANSACTION_NONE);
  // A pool that resets what it hands out anew has ended what was open.
  CHECK(client(tds_batch(0)));
  CHECK(server(tds(4, tds_change(8) + kDone)));
  CHECK(client(tds_batch(7, 9)));
  CHECK(server(tds(4, std::string(30, 'r') + kDone)));
  CHECK(conversation_state().transaction == WIRE_TRANSACTION_NONE);
}

TEST_CASE("TDS: sealed from the login on, the turn goes by direction", "[protocols]") {
  begin();
  client(kPrelogin);
  server(tds(4, "\0\0\6\0\6\xFF"s + "\1\2\3\4\5\6"s));
  CHECK(client(tds(0x12, "\x16\3\1"s + std::string(200, 'h'))));
  CHECK(server(tds(0x12, "\x16\3\3"s + std::string(900, 'c'))));
  CHECK_FALSE(conversation_state().ready);
  const std::string sealed = "\x17\3\3\1\0"s + std::string(256, 's');
  CHECK(client(sealed));
  CHECK(server(sealed));
  CHECK(conversation_state().ready);
  CHECK(conversation_state().requests == 0);
  CHECK(client(sealed));
  CHECK(conversation_state().requests == 1);
  CHECK_FALSE(clients_turn());
  CHECK(server(sealed));
  CHECK(clients_turn());
  CHECK((conversation_state().flags & WIRE_FLAG_TLS) != 0);
  CHECK(client("\x15\3\3\0\2\1\0"s));
  CHECK((conversation_state().flags & WIRE_FLAG_GOODBYE) != 0);
}

TEST_CASE("Oracle: the login ends with the answer to the second half of the authentication", "[protocols]") {
  begin();
  REQUIRE(client(tns(1, "\1\x3E\1\x2C"s + std::string(200, 'c'))));
  CHECK(conversation_state().protocol == WIRE_PROTOCOL_ORACLE);
  CHECK(server(tns(2, std::string(24, 'a'))));
  CHECK(client(tns_call(0x76)));
  CHECK(server(tns(6, std::string(100, 'a'))));
  CHECK_FALSE(conversation_state().ready);
  CHECK(client(tns_call(0x73)));
  CHECK(server(tns(6, std::string(100, 'a'))));
  CHECK(conversation_state().ready);
  CHECK(conversation_state().requests == 0);
  CHECK(client(tns_call(0x5E)));
  CHECK(conversation_state().requests == 1);
  CHECK_FALSE(clients_turn());
  CHECK(server(tns(6, std::string(100, 'a'))));
  CHECK(clients_turn());
  CHECK(client(tns_call(9)));
  CHECK((conversation_state().flags & WIRE_FLAG_GOODBYE) != 0);
}

TEST_CASE("Cassandra: startup and authentication are the login, the control connection is exempt", "[protocols]") {
  begin();
  REQUIRE(client(kStartup));
  CHECK(conversation_state().protocol == WIRE_PROTOCOL_CASSANDRA);
  CHECK(server(cql(3, "\0\4auth"s)));
  CHECK(client(cql(0x0F, "\0\0\0\4abcd"s)));
  CHECK(server(cql(0x10, ""s)));
  CHECK(conversation_state().ready);
  CHECK(conversation_state().requests == 0);
  CHECK(client(cql(7, "\0\0\0\6SELECT\0\1\0"s)));
  CHECK(conversation_state().requests == 1);
  CHECK_FALSE(clients_turn());
  CHECK(server(cql(8, "\0\0\0\1"s)));
  CHECK(clients_turn());
  CHECK(client(cql(0x0B, "\0\1\0\x0D"s + "STATUS_CHANGE"s)));
  CHECK((conversation_state().flags & WIRE_FLAG_STREAM) != 0);
}

TEST_CASE("memcached: text and binary, noreply and quit", "[protocols]") {
  begin();
  REQUIRE(client("get session:42\r\n"s));
  CHECK(conversation_state().protocol == WIRE_PROTOCOL_MEMCACHED);
  CHECK_FALSE(clients_turn());
  CHECK(server("END\r\n"s));
  CHECK(clients_turn());
  CHECK(client("set a 0 60 1 noreply\r\nx\r\n"s));
  CHECK_FALSE(clients_turn());  // the word does not end the payload: not guessed
  CHECK(server("END\r\n"s));
  CHECK(client("delete session:42 noreply\r\n"s));
  CHECK(clients_turn());
  CHECK(client("quit\r\n"s));
  CHECK((conversation_state().flags & WIRE_FLAG_GOODBYE) != 0);

  begin();
  REQUIRE(client("\x80\0\0\3\0\0\0\0"s + big(3, 4) + std::string(12, '\0') + "key"s));
  CHECK(conversation_state().protocol == WIRE_PROTOCOL_MEMCACHED);
  CHECK(server("\x81\0\0\0\0\0\0\1"s + std::string(16, '\0')));
  CHECK(clients_turn());
}

TEST_CASE("conversations that were there before are recognised by a request", "[protocols]") {
  const auto late = [](const std::string& request, int protocol) {
    begin(true);
    CHECK(client(request));
    CHECK(conversation_state().protocol == protocol);
    CHECK_FALSE(clients_turn());
  };
  late(mongo(77, 0, "find"), WIRE_PROTOCOL_MONGODB);
  late(tds_batch(7), WIRE_PROTOCOL_TDS);
  late(tns_call(0x5E), WIRE_PROTOCOL_ORACLE);
  late(cql(7, "\0\0\0\6SELECT\0\1\0"s), WIRE_PROTOCOL_CASSANDRA);
  late("get session:42\r\n"s, WIRE_PROTOCOL_MEMCACHED);
  late("Q\0\0\0\x0DSELECT 1\0"s, WIRE_PROTOCOL_POSTGRESQL);
  late("\x09\0\0\0\3SELECT 1"s, WIRE_PROTOCOL_MYSQL);
}

TEST_CASE("what begins like no database is none", "[protocols]") {
  for (const std::string& first :
       {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s,
        "\x16\3\1\2\0\1\0\1\xFC\3\3"s, "EHLO mail.example\r\n"s, "l\1\0\1\0\0\0\0\1\0\0\0n\0\0\0\1\1o\0"s,
        "AUTH EXTERNAL 30\r\n"s, "\0"s, "SSH-2.0-OpenSSH_9.2\r\n"s, std::string(40, '\0'),
        std::string(40, '\xFF')}) {
    begin();
    INFO(first);
    CHECK_FALSE(client(first));
    begin(true);
    if (first[0] != '\x16') CHECK_FALSE(client(first));
  }
}

TEST_CASE("any bytes, in any order, leave the readers sane", "[protocols]") {
  std::uint64_t seed = 88172645463325252ULL;
  const auto next = [&] {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
  };
  const std::string beginnings[] = {mongo(1, 0, "hello"), kPrelogin,    tns_call(0x73),         kStartup,
                                    "get a\r\n"s,         tds_batch(7), "*1\r\n$4\r\nPING\r\n"s};
  for (int round = 0; round < 20000; ++round) {
    begin(next() % 2 == 0);
    for (int turn = 0; turn < 6; ++turn) {
      std::string text = beginnings[next() % std::size(beginnings)];
      for (std::uint64_t change = next() % 4; change > 0; --change)
        text[next() % text.size()] = static_cast<char>(next());
      text.resize(1 + next() % (text.size() + 40));
      (next() % 2 == 0 ? client : server)(text);
      const auto state = conversation_state();
      REQUIRE(state.protocol < WIRE_PROTOCOL_END);
      REQUIRE(state.turn < WIRE_TURN_END);
      REQUIRE(state.transaction < WIRE_TRANSACTION_END);
    }
  }
}
