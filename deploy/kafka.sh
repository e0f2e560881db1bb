#!/usr/bin/env bash
# A real Apache Kafka on loopback, for development and tests: one KRaft node, pinned version, own folder and ports.
#
#   deploy/kafka.sh install     fetch the broker (56 MB, once), check it against deploy/kafka/jars.sha256
#   deploy/kafka.sh start [1]   install if needed, start one node, wait until it answers; prints its address
#   deploy/kafka.sh stop        clean stop; the data stays
#   deploy/kafka.sh kill        kill -9; the data stays
#   deploy/kafka.sh wipe        stop and remove the data
#   deploy/kafka.sh status      says whether it runs; exit status 0 if it does
#
# From the environment:
#   KAFKA_HOME                        use this Kafka distribution instead of fetching one
#   DEV_KAFKA_PORT                    port of the broker (19092); the controller takes the next one
#   DEV_KAFKA_CONTROLLER_PORT         port of the controller
#   DEV_KAFKA_DATA                    data folder (.cache/kafka/data-PORT)
#   DEV_KAFKA_WAIT_S                  how long to wait until it answers (60)
#   DEV_KAFKA_PROXY_PORT              where a proxy stands: a listener for it on the third port after the controller's
#   DEV_KAFKA_HEAP                    heap of the broker (256m)
#   DEV_KAFKA_SECURE                  1: also listen with TLS and SASL on the port behind the controller's, with TLS and
#                                     client certificates on the next, and check rights (deploy/kafka/secure.properties);
#                                     certificates and the password of the user stormfold are in DEV_KAFKA_DATA.tls
#   DEV_KAFKA_TXN_CLEANUP_MS          how often dead transactions are looked for (500; Kafka's default is 10000)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
cache=$root/.cache/kafka
libs=$cache/libs
port=${DEV_KAFKA_PORT:-19092}
controller_port=${DEV_KAFKA_CONTROLLER_PORT:-$((port + 1))}
data=${DEV_KAFKA_DATA:-$cache/data-$port}
wait_s=${DEV_KAFKA_WAIT_S:-60}
heap=${DEV_KAFKA_HEAP:-256m}
txn_cleanup_ms=${DEV_KAFKA_TXN_CLEANUP_MS:-500}
secure=${DEV_KAFKA_SECURE:-0}
tls=$data.tls
cluster_id=c3Rvcm1mb2xkLXRlc3QwMQ
pid_file=$data.pid
log_file=$data.log

say() { echo "kafka.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# Makes sure that a command is there; installs its Debian package when that can be done.
need() {
    local command=$1 package=$2
    command -v "$command" >/dev/null 2>&1 && return
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null 2>&1; then
        say "installing the Debian package $package, which has $command"
        apt-get update -qq >&2 || say "apt-get update failed; trying with the lists at hand"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2 \
            || die "could not install $package"
        command -v "$command" >/dev/null 2>&1 || die "$command is still missing after installing $package"
    else
        die "$command is missing; install it, on Debian: apt-get install --no-install-recommends $package"
    fi
}

jars_are_right() { [[ -d $libs ]] && (cd "$libs" && sha256sum --check --quiet --strict "$here/kafka/jars.sha256" >/dev/null 2>&1); }

install() {
    need java openjdk-17-jre-headless
    if [[ -n ${KAFKA_HOME:-} ]]; then
        compgen -G "$KAFKA_HOME/libs/kafka_2.13-*.jar" >/dev/null || die "KAFKA_HOME=$KAFKA_HOME has no libs/kafka_2.13-*.jar"
        return
    fi
    jars_are_right && return
    need mvn maven
    say "fetching Apache Kafka 4.4.0 from Maven Central into ${libs#"$root"/}"
    local new=$cache/libs.new.$$
    rm -rf "$new"; mkdir -p "$new"
    mvn -B -ntp -q -f "$here/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$new" >&2 \
        || { rm -rf "$new"; die "Maven could not fetch the jars; is Maven Central reachable?"; }
    (cd "$new" && sha256sum --check --quiet --strict "$here/kafka/jars.sha256" >&2) \
        || { rm -rf "$new"; die "the jars fetched are not those of deploy/kafka/jars.sha256; nothing was installed"; }
    rm -rf "$libs"; mv "$new" "$libs"
}

# An authority of our own, a certificate for the broker, one for the user stormfold, and that user's password.
make_certificates() {
    [[ -f $tls/done ]] && return
    need openssl openssl
    rm -rf "$tls"; mkdir -p "$tls"
    (
        cd "$tls"
        umask 077
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=stormfold test authority" -keyout ca.key -out ca.pem
        local name
        for name in broker stormfold; do
            openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
            openssl x509 -req -days 3650 -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -out "$name.crt" \
                -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1")
        done
        # Kafka wants the key as PKCS#8 before the certificate.
        openssl pkcs8 -topk8 -nocrypt -in broker.key -out broker.p8
        cat broker.p8 broker.crt ca.pem >broker.pem
        openssl rand -hex 16 | tr -d '\n' >password
        touch done
    ) >"$log_file" 2>&1 || { tail -n 20 "$log_file" >&2; die "could not make certificates in $tls"; }
}

# The class path in a fixed order: a class-data archive is bound to it.
class_path() {
    if [[ -n ${KAFKA_HOME:-} ]]; then
        printf '%s\n' "$KAFKA_HOME"/libs/*.jar | LC_ALL=C sort | paste -sd:
    else
        sed "s|^[0-9a-f]*  |$libs/|" "$here/kafka/jars.sha256" | paste -sd:
    fi
}

# Whether a process is alive. A zombie that nobody has reaped is not.
alive() {
    local state
    state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) || return 1
    [[ -n $state && $state != Z ]]
}

# The process id if the broker runs; a number that belongs to another program by now does not count.
running() {
    [[ -f $pid_file ]] || return 1
    local pid
    pid=$(cat "$pid_file")
    alive "$pid" || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'kafka\.Kafka' || return 1
    echo "$pid"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

wait_gone() {
    local pid=$1 tries=300
    while ((tries-- > 0)); do
        # A process that was killed loses its name before it lets go of the port.
        running >/dev/null || answers || { rm -f "$pid_file"; return 0; }
        sleep 0.1
    done
    die "process $pid does not end"
}

# fence JAVA…: lets the controller end the session that a broker had before it ended, as the other controllers of a cluster do,
# before that broker comes back. A node on its own would go on as the leader that it was until its own session ends; then its
# transaction coordinator finds partitions without a leader, takes them for deleted, and calls transactions complete of whose end
# those never heard ("likely deleted already and hence can be skipped", says its TransactionMarkerChannelManager).
fence() {
    sed -e 's/^process.roles=.*/process.roles=controller/' -e 's/^broker.session.timeout.ms=.*/broker.session.timeout.ms=1000/' -e '/^advertised.listeners=/d' -e '/^inter.broker.listener.name=/d' \
        -e "s|^listeners=.*|listeners=CONTROLLER://127.0.0.1:$controller_port|" "$data.properties" >"$data.controller"
    "$@" -Dorg.slf4j.simpleLogger.log.org.apache.kafka.controller=info kafka.Kafka "$data.controller" </dev/null >"$data.fencing" 2>&1 9>&- &
    local pid=$! tries=$((wait_s * 10)) word
    # On a busy machine it takes as long to begin as a broker does. A broker that had not registered, or was fenced already,
    # is not fenced again, so that is waited for no longer than ten of its sessions.
    for word in 'Becoming the active controller' 'Fencing broker'; do
        until grep -q "$word" "$data.fencing" || ((tries-- == 0)); do
            alive "$pid" || { tail -n 20 "$data.fencing" >&2; die "the controller ended while it was to fence the broker"; }
            sleep 0.1
        done
        tries=100
    done
    sleep 0.5
    kill -TERM "$pid"
    wait "$pid" || true
    rm -f "$data.ran" "$data.controller" "$data.fencing"
}

start() {
    [[ ${1:-1} == 1 ]] || die "only one node: start [1]"
    mkdir -p "$(dirname "$data")"
    exec 9>"$data.lock"
    command -v flock >/dev/null 2>&1 && flock 9
    if running >/dev/null; then
        say "runs already on 127.0.0.1:$port"
        echo "127.0.0.1:$port"
        return
    fi
    answers && die "port $port is taken by something else; choose another with DEV_KAFKA_PORT"
    install
    mkdir -p "$data"
    local listeners="" password="" parts=("$here/kafka/server.properties") users=()
    if [[ $secure == 1 ]]; then
        make_certificates
        listeners=",SASL://127.0.0.1:$((controller_port + 1)),MTLS://127.0.0.1:$((controller_port + 2))"
        password=$(cat "$tls/password")
        parts+=("$here/kafka/secure.properties")
        users=(--add-scram "SCRAM-SHA-256=[name=stormfold,password=$password]"
            --add-scram "SCRAM-SHA-512=[name=stormfold,password=$password]")
    fi
    (
        umask 077
        cat "${parts[@]}" | sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER_PORT@|$controller_port|g" -e "s|@DATA@|$data|g" \
            -e "s|@TXN_CLEANUP_MS@|$txn_cleanup_ms|g" -e "s|@SECURE_LISTENERS@|$listeners|g" -e "s|@TLS@|$tls|g" \
            -e "s|@PASSWORD@|$password|g" >"$data.properties"
    )
    if [[ -n ${DEV_KAFKA_PROXY_PORT:-} ]]; then
        # Who comes through the proxy is sent back to the proxy. A later line replaces an earlier one.
        sed -n -e "s|^\(listeners=.*\)|\1,PROXIED://127.0.0.1:$((controller_port + 3))|p" \
            -e "s|^\(advertised.listeners=.*\)|\1,PROXIED://127.0.0.1:$DEV_KAFKA_PROXY_PORT|p" \
            -e "s|^\(listener.security.protocol.map=.*\)|\1,PROXIED:PLAINTEXT|p" \
            "$data.properties" >"$data.proxied"
        cat "$data.proxied" >>"$data.properties"
    fi
    local cp archive=$cache/kafka.jsa
    cp=$(class_path)
    local -a java=(java -Xms64m "-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -cp "$cp"
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info)
    if [[ ! -f $data/meta.properties ]]; then
        "${java[@]}" kafka.tools.StorageTool format -t "$cluster_id" -c "$data.properties" \
            ${users[@]+"${users[@]}"} >"$log_file" 2>&1 \
            || { tail -n 20 "$log_file" >&2; die "could not format $data"; }
    fi
    # A class-data archive starts the broker on less than half the CPU; the first clean stop writes it. One that does
    # not fit the JVM or the jars is ignored by the JVM.
    if [[ -f $archive ]]; then java+=("-XX:SharedArchiveFile=$archive"); else java+=("-XX:ArchiveClassesAtExit=$archive"); fi
    [[ ! -f $data.ran ]] || fence "${java[@]}"
    touch "$data.ran"
    setsid "${java[@]}" kafka.Kafka "$data.properties" </dev/null >>"$log_file" 2>&1 9>&- &
    local pid=$!
    echo "$pid" >"$pid_file"
    local tries=$((wait_s * 10))
    until answers; do
        alive "$pid" || { tail -n 20 "$log_file" >&2; die "the broker ended; its log is $log_file"; }
        ((tries-- > 0)) || { tail -n 20 "$log_file" >&2; die "no answer on port $port within $wait_s s; its log is $log_file"; }
        sleep 0.1
    done
    say "Apache Kafka runs on 127.0.0.1:$port"
    echo "127.0.0.1:$port"
}

stop() {
    local pid
    pid=$(running) || { say "does not run"; return; }
    kill -TERM "$pid"
    wait_gone "$pid"
    say "stopped"
}

kill_hard() {
    local pid
    pid=$(running) || { say "does not run"; return; }
    kill -KILL "$pid"
    wait_gone "$pid"
    say "killed"
}

wipe() {
    local pid
    if pid=$(running); then kill -KILL "$pid"; wait_gone "$pid"; fi
    rm -rf "$data" "$tls" "$data".{properties,proxied,ran,controller,fencing} "$data.log" "$data.lock" "$pid_file"
    say "wiped $data"
}

status() {
    local pid
    if pid=$(running) && answers; then say "runs on 127.0.0.1:$port, process $pid"; else say "does not run"; exit 1; fi
}

case ${1:-} in
    install) install; say "Apache Kafka is installed" ;;
    start) start "${2:-1}" ;;
    stop) stop ;;
    kill) kill_hard ;;
    wipe) wipe ;;
    status) status ;;
    *) sed -n '2,/^set/p' "${BASH_SOURCE[0]}" | sed -e '/^set/d' -e 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
