# Checks the types of the project in the working directory.
if [ -n "$SOULBOX_NODE_MODULES" ] && [ ! -e node_modules ]; then
    ln -s "$SOULBOX_NODE_MODULES" node_modules
fi
exec tsc --project . --noEmit --pretty false
