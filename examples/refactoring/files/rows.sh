# rows FILE: its entries as `name quantity price sum`, separated by tabs; comments and empty lines left out.
rows() {
    while IFS=, read -r name quantity price; do
        case $name in
            '' | '#'*) ;;
            *) printf '%s\t%d\t%d\t%d\n' "$name" "$quantity" "$price" $((quantity * price)) ;;
        esac
    done < "$1"
}
