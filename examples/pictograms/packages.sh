#!/usr/bin/env bash
# Downloads the art and the names that `pictograms` draws from, as npm packages, and unpacks them to a folder.
# Nothing of them is committed. Their licences: docs/pictograms.md.
set -euo pipefail

folder=${1:?usage: packages.sh FOLDER}
mkdir -p "$folder"
cd "$folder"

packages=(
    # Styles to train on.
    @iconify-json/noto@1.2.9 @iconify-json/noto-v1@1.2.5 @iconify-json/twemoji@1.2.5 @iconify-json/emojione@1.2.3
    @iconify-json/fluent-emoji@1.2.7 @iconify-json/fluent-emoji-flat@1.2.6
    # More styles, for augmentation.
    @iconify-json/fxemoji@1.2.2 @iconify-json/streamline-emojis@1.2.4 @iconify-json/emojione-monotone@1.2.1
    @iconify-json/fluent-emoji-high-contrast@1.2.6
    # The style that is held out.
    @iconify-json/openmoji@1.2.29
    # Names in four languages, and the list of things.
    cldr-annotations-full@48.2.0 cldr-annotations-derived-full@48.2.0 emojibase-data@17.0.0
)
for package in "${packages[@]}"; do
    name=${package##*/}
    name=${name%@*}
    [ -e "$name/package.json" ] && continue
    archive=$(npm pack --silent "$package")
    mkdir -p "$name"
    tar -xzf "$archive" -C "$name" --strip-components=1
    rm "$archive"
done
