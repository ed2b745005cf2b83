/* tests/stan/data.hpp -- data of a Stan model from JSON, a file or text. Arrays of JSON have the last index run first; Stan
 * wants the first one. A variable of whole numbers alone may be one of integers; Stan takes it for reals, too. */
#ifndef TESTS_STAN_DATA_HPP
#define TESTS_STAN_DATA_HPP

#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <climits>
#include <cstring>
#include <stan/io/array_var_context.hpp>

using boost::property_tree::ptree;
using dims = std::vector<size_t>;

static dims dims_of(const ptree &node)
{
    if (!node.data().empty())
        return {};
    dims size = {node.size()};
    if (!node.empty()) {
        dims inner = dims_of(node.front().second);
        size.insert(size.end(), inner.begin(), inner.end());
    }
    return size;
}

static void collect(std::vector<std::string> &to, size_t at, size_t stride, const ptree &node,
                    const dims &size, size_t depth)
{
    bool leaf = depth == size.size();
    if (leaf ? node.data().empty() : !node.data().empty() || node.size() != size[depth])
        throw std::runtime_error("data: an array is ragged");
    if (leaf)
        to[at] = node.data();
    for (const auto &item : node) {
        collect(to, at, stride * size[depth], item.second, size, depth + 1);
        at += stride;
    }
}

/* Variables of one type. */
template <typename T> struct variables {
    std::vector<std::string> names;
    std::vector<T> values;
    std::vector<dims> sizes;

    void add(const std::string &name, const std::vector<std::string> &texts, const dims &size)
    {
        names.push_back(name);
        sizes.push_back(size);
        for (const std::string &text : texts) {
            char *end;
            values.push_back((T)strtod(text.c_str(), &end));
            if (*end)
                throw std::runtime_error(name + ": '" + text + "' is no number");
        }
    }
};

static bool is_integer(const std::string &text)
{
    return text.find_first_not_of("-0123456789") == std::string::npos &&
           std::abs(strtod(text.c_str(), nullptr)) <= INT_MAX;
}

static stan::io::array_var_context read_data(const char *data)
{
    variables<double> reals;
    variables<int> integers;
    ptree tree;
    std::stringstream text(data);
    size_t n = strlen(data);
    if (n >= 5 && strcmp(data + n - 5, ".json") == 0)
        read_json(std::string(data), tree);
    else if (n > 0)
        read_json(text, tree);
    for (const auto &item : tree) {
        dims size = dims_of(item.second);
        size_t total = 1;
        for (size_t k : size)
            total *= k;
        std::vector<std::string> texts(total);
        collect(texts, 0, 1, item.second, size, 0);
        if (std::all_of(texts.begin(), texts.end(), is_integer))
            integers.add(item.first, texts, size);
        else
            reals.add(item.first, texts, size);
    }
    return {reals.names,    reals.values,    reals.sizes,
            integers.names, integers.values, integers.sizes};
}

#endif
