#!/usr/bin/env bash
# Builds a mediasoup-worker from the sources inside the mediasoup npm package, against Debian's own libraries.
# Tried with mediasoup 3.27.1 on Debian 12 and 13. The packages it needs are listed in build.mjs.
#
#   build.sh PATH/TO/node_modules/mediasoup OUTPUT
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
worker=$(cd "$1/worker" && pwd)
output=$(realpath -m "$2")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# Ninja and the compiler see relative paths only, so that no space or colon in a real one can mislead them.
cd "$build"
ln -s "$worker" worker
ln -s "$here/include" include
mkdir -p gen/FBS patched

flatc --cpp --cpp-field-case-style lower --reflect-names --scoped-enums --filename-suffix '' -o gen/FBS worker/fbs/*.fbs

# Debian builds OpenSSL with kTLS. The worker's BIO callback answers 1 to every control query, which such an OpenSSL
# takes for "kTLS is sending": it then allocates no write buffer, and the first DTLS packet crashes the worker.
sed 's/(operationType == BIO_CB_RETURN) ?/((operationType \& BIO_CB_RETURN) != 0) ?/' \
	worker/src/RTC/DtlsTransport.cpp >patched/DtlsTransport.cpp
if cmp -s worker/src/RTC/DtlsTransport.cpp patched/DtlsTransport.cpp; then
	echo 'Warning: the patch for the DTLS callback did not apply. Check that this mediasoup no longer needs it.' >&2
fi

# Abseil is many small libraries, other ones in each release; pkg-config knows which.
libraries=$(pkg-config --libs absl_strings absl_optional libsrtp2 openssl libuv)

{
	cat <<-NINJA
		cxxflags = -std=c++20 -O3 -DNDEBUG -w -DMS_LITTLE_ENDIAN -DMS_EXECUTABLE -DFLATBUFFERS_LOCALE_INDEPENDENT=1 $
		  -Iinclude -Igen -Igen/FBS -Iworker/include -Iworker/deps/libwebrtc -Iworker/deps/libwebrtc/libwebrtc
		libraries = -Wl,--as-needed $libraries -lflatbuffers -lpthread -ldl
		rule cxx
		  command = g++ \$cxxflags -MMD -MF \$out.d -c \$in -o \$out
		  depfile = \$out.d
		  deps = gcc
		  description = \$in
		rule link
		  command = g++ -O3 -s @\$out.rsp -o \$out \$libraries
		  rspfile = \$out.rsp
		  rspfile_content = \$in
		  description = \$out
	NINJA
	objects=
	while read -r source; do
		object=objects/${source#worker/}.o
		[[ $source == worker/src/RTC/DtlsTransport.cpp ]] && source=patched/DtlsTransport.cpp
		echo "build $object: cxx $source"
		objects+=" $object"
	done < <(find -L worker/src worker/deps/libwebrtc \( -name '*.cpp' -o -name '*.cc' \) | sort)
	echo "build mediasoup-worker: link$objects"
} >build.ninja

export NINJA_STATUS='[%f/%t, %e s] '
if [[ -t 1 ]]; then
	ninja
else
	# Where no terminal can overwrite the line: every twentieth, and all that is not a status line.
	ninja | awk '!/^\[[0-9]+\/[0-9]+, / || ++count % 20 == 0 { print; fflush() }'
fi

install -D -m 755 mediasoup-worker "$output"
