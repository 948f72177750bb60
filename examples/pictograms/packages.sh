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
    # Line drawings, and icons of things that emoji show too.
    @expo-google-fonts/noto-emoji@0.4.7
    @iconify-json/icon-park@1.2.4 @iconify-json/icon-park-twotone@1.2.4 @iconify-json/streamline-flex-color@1.2.2
    @iconify-json/streamline-plump-color@1.2.2 @iconify-json/streamline-cyber-color@1.2.2
    @iconify-json/streamline-ultimate-color@1.2.2 @iconify-json/streamline-kameleon-color@1.2.2 @iconify-json/game-icons@1.2.4
    @iconify-json/hugeicons@1.2.35 @iconify-json/mdi@1.2.3 @iconify-json/tabler@1.2.41 @iconify-json/ph@1.2.2 @iconify-json/lucide@1.2.137
    @iconify-json/lucide-lab@1.2.3 @iconify-json/fa6-solid@1.2.4 @iconify-json/carbon@1.2.29 @iconify-json/iconoir@1.2.11
    @iconify-json/mingcute@1.2.8 @iconify-json/solar@1.2.13 @iconify-json/fluent@1.2.60
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
