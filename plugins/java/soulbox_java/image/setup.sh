#!/bin/sh
# Makes what runs and compiles need of the sources beside this file: setup.sh PRELOAD...
# The preloads are Maven coordinates. It runs once, when the image is built.
set -eu
cd "$(dirname "$0")"
home=$(pwd)
sources=$home/sources
work=$(mktemp -d)
mkdir -p lib warm

echo "compiling"
exports=
for package in access loader misc vm.annotation; do
    exports="$exports --add-exports=java.base/jdk.internal.$package=ALL-UNNAMED"
done
maven=$(sed 's,.*,/usr/share/java/&.jar,' "$sources/maven.jars" | paste -sd: -)
# shellcheck disable=SC2086
javac -d "$work/boot" $exports "$sources"/boot/soulbox/*.java
javac -d "$work/compiler" -cp "$work/boot" "$sources"/compiler/soulbox/compiler/*.java
javac -d "$work/maven" -cp "$maven" "$sources"/maven/soulbox/maven/*.java
for name in boot compiler maven; do
    jar --create --file "$name.jar" -C "$work/$name" .
done

echo "fetching the preloads"
printf '%s\n' "-cp $home/maven.jar:$maven" >>maven.args
java @maven.args soulbox.maven.Resolve lib lib "$@"
path=$(find "$home/lib" -name '*.jar' | LC_ALL=C sort | paste -sd: -)
printf '%s\n' "-cp ${path:-$home/boot.jar}" >>run.args

echo "compiling what warms them up"
printf '%s\n' "-cp $home/compiler.jar:$home/boot.jar" >>compiler.args
for source in "$sources"/rehearsal/*.java "$sources"/exercise/*.java; do
    package=$(basename "$(dirname "$source")")
    name=$(basename "$source" .java)
    # One for a preload that the operator does not have is left out.
    if javac -proc:none -cp "$path" -d "$work/$name" "$source" 2>/dev/null; then
        printf '%s\n' "soulbox.$package.$name" >"$work/$name/soulbox.index"
        cp -r "$work/$name" warm/
    fi
done

echo "archiving classes"
archive() {
    "$@" </dev/null >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
}
# Classes that are linked ahead of time are all loaded at each start, wanted or not.
# shellcheck disable=SC2046  # names of ours, without spaces
archive java @run.args -Xmx128m -XX:-AOTClassLinking -XX:AOTCacheOutput=run.aot \
    soulbox.Train warm/Hello $(find warm -mindepth 1 -maxdepth 1 ! -name Hello)
archive java @compiler.args -XX:AOTCacheOutput=compiler.aot soulbox.compiler.Server lib 2 \
    "$sources"/rehearsal/*.java "$sources"/exercise/*.java
for name in run compiler; do
    printf '%s\n' "-XX:AOTCache=$home/$name.aot" >>$name.args
done
rm -rf "$work"
