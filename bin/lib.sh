# shellcheck shell=sh
# Shared by the scripts of this folder: finds Python, keeps .venv in step with requirements/, finds system packages.
# Sourced, never run. Expects `root`, the project's folder.

# What a caller's shell may carry and must not reach the project's own environment. Without byte code on disk every
# start pays for compiling again.
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_REQUIRE_HASHES
PIP_USER=0
PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_USER PIP_DISABLE_PIP_VERSION_CHECK

venv=$root/.venv
python=$venv/bin/python

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }
may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

apt_install() {
    say "安装系统软件包：$* / Installing system packages: $*"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    log=$(mktemp)
    { apt-get update -q && apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail "系统软件包未能安装：$* / Could not install the system packages: $*"
    }
    rm -f "$log"
}

# Prints the first Python that is new enough, one that can make virtual environments if there is any.
find_python() {
    second=
    for candidate in python3.13 python3.12 python3.11 python3; do
        command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate" || continue
        if has_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        second=${second:-$candidate}
    done
    echo "$second"
}

make_venv() {
    found=$(find_python)
    [ -n "$found" ] || fail "未找到 Python 3.11 或更高版本，请先安装。 / Python 3.11 or newer was not found; please install it first."
    if ! has_venv "$found"; then
        package=$("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        may_install || fail "该 Python 不能建立虚拟环境，请先安装 $package。 / This Python cannot make virtual environments; please install $package first."
        apt_install "$package"
    fi
    "$found" -m venv --clear "$venv" || fail "未能在 $venv 建立虚拟环境。 / Could not make the virtual environment in $venv."
}

digest() { if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi; }

# What an installed set depends on: the folder (scripts in .venv hold its path), the locks, the package list.
stamp_of() {
    {
        echo "$root"
        cat "$root/requirements/uv.txt" "$root/requirements/$1.txt" "$root/pyproject.toml"
    } | digest | cut -d ' ' -f 1
}

stamped() { [ -f "$venv/stamp-$1" ] && [ "$(cat "$venv/stamp-$1")" = "$(stamp_of "$1")" ]; }

# A .venv that was copied from elsewhere, was left half-made, or whose Python has gone, is made anew.
usable_venv() { [ -f "$venv/root" ] && [ "$(cat "$venv/root")" = "$root" ] && "$python" -m pip --version >/dev/null 2>&1; }

install_with_uv() {
    "$python" -m pip install -q --require-hashes -r requirements/uv.txt || return 1
    settings=$("$python" bin/uv_settings.py) || return 1
    (
        eval "$settings"
        "$venv/bin/uv" pip install -q --python "$python" --compile-bytecode --require-hashes -r "requirements/$1.txt" &&
            "$venv/bin/uv" pip install -q --python "$python" --no-deps --no-build-isolation -e .
    )
}

# The lock is complete: without --no-deps older pips stumble over extras (sqlalchemy[asyncio]) in hash mode.
install_with_pip() {
    "$python" -m pip install -q --no-deps --require-hashes -r "requirements/$1.txt" &&
        "$python" -m pip install -q --no-deps --no-build-isolation -e .
}

# ensure_installed run|test: afterwards .venv holds that set and the project itself. The test set contains the run set.
ensure_installed() {
    if [ -x "$python" ] && { stamped "$1" || { [ "$1" = run ] && stamped test; }; }; then return; fi
    say "正在准备运行环境，首次约需一分钟。 / Preparing the environment; the first time takes about a minute."
    began=$(date +%s)
    cd "$root"
    if ! usable_venv; then
        make_venv
        echo "$root" >"$venv/root"
    fi
    if ! install_with_uv "$1"; then
        say "改用 pip 安装，需要稍长时间。 / Falling back to pip, which takes longer."
        install_with_pip "$1" || fail "依赖未能安装，请检查软件源设置（pip config list）。 / The requirements could not be installed; please check pip's index settings (pip config list)."
    fi
    stamp_of "$1" >"$venv/stamp-$1"
    say "运行环境已就绪（$(($(date +%s) - began)) 秒）。 / The environment is ready ($(($(date +%s) - began)) s)."
}

any_file() { for path in "$@"; do [ -e "$path" ] && return 0; done; return 1; }
has_postgres() { command -v initdb >/dev/null 2>&1 || any_file /usr/lib/postgresql/*/bin/initdb; }
has_chromium() { [ -x /usr/bin/chromium ]; }
has_cjk_font() { any_file /usr/share/fonts/opentype/noto/NotoSansCJK-*; }
has_office() { command -v soffice >/dev/null 2>&1; }
has_pdftoppm() { command -v pdftoppm >/dev/null 2>&1; }
has_npm() { command -v npm >/dev/null 2>&1; }
has_dovecot() { command -v dovecot >/dev/null 2>&1 || [ -x /usr/sbin/dovecot ]; }
# The browser driver of the tests is linked against it.
has_libatomic() { any_file /usr/lib/*/libatomic.so.1 /usr/lib/libatomic.so.1 /usr/lib64/libatomic.so.1; }

# ensure_system postgres|all: the system packages that the tests need, installed when we may, else named.
ensure_system() {
    missing=
    has_postgres || missing="$missing postgresql"
    if [ "$1" = all ]; then
        has_chromium || missing="$missing chromium"
        has_cjk_font || missing="$missing fonts-noto-cjk"
        has_libatomic || missing="$missing libatomic1"
        has_office || missing="$missing libreoffice-writer-nogui libreoffice-calc-nogui"
        has_pdftoppm || missing="$missing poppler-utils"
        has_dovecot || missing="$missing dovecot-imapd"
        has_npm || missing="$missing nodejs npm"
    fi
    [ -n "$missing" ] || return 0
    may_install || fail "测试需要系统软件包$missing，请先安装。 / The tests need the system packages$missing; please install them first."
    # shellcheck disable=SC2086
    apt_install $missing
}
