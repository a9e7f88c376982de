# Tests of the assignors share groups written as text.
set(ASSIGNOR_TESTS ${CMAKE_SOURCE_DIR}/tests/model/assignor)
foreach(test test_client_assignors test_server_assignors test_measure test_large_groups)
    target_sources(${test} PRIVATE ${ASSIGNOR_TESTS}/group_text.c)
endforeach()

target_sources(test_assignor_properties PRIVATE ${ASSIGNOR_TESTS}/random_group.c)
target_sources(test_large_groups PRIVATE ${ASSIGNOR_TESTS}/reference_sticky.c)
target_sources(test_sticky_reference PRIVATE ${ASSIGNOR_TESTS}/random_group.c
    ${ASSIGNOR_TESTS}/reference_sticky.c)

# Kafka's defects, which are not copied (model/assignor/DIFFERENCES.md): our answer is valid and safe.
foreach(case sticky-00546 cooperative-sticky-00608 sticky-05419 cooperative-sticky-04120
        cooperative-sticky-08951 cooperative-sticky-03933 cooperative-sticky-06294)
    string(REGEX REPLACE "-[0-9]*$" "" file ${case})
    add_test(NAME difference_dev-${case} COMMAND conformance --id dev-${case}
        ${CMAKE_SOURCE_DIR}/tests/conformance/data/${file}.jsonl.gz)
    set_tests_properties(difference_dev-${case} PROPERTIES TIMEOUT 60
        PASS_REGULAR_EXPRESSION "^1 passed, 0 failed")
endforeach()

# The runner's own exit codes and last line, on files that are not what they should be.
add_test(NAME conformance_program COMMAND ${CMAKE_SOURCE_DIR}/tests/conformance/program.sh
    $<TARGET_FILE:conformance> ${CMAKE_SOURCE_DIR}/tests/conformance/data)
set_tests_properties(conformance_program PROPERTIES TIMEOUT 60)

# Planted mistakes: a copy of one source file with one spot changed is linked before the library,
# and the test named CAUGHT_BY must fail. FROM must occur in the source, so a mutant cannot go stale.
foreach(side client server)
    add_library(${side}_assignor_tests OBJECT ${ASSIGNOR_TESTS}/test_${side}_assignors.c
        ${ASSIGNOR_TESTS}/group_text.c)
    target_link_libraries(${side}_assignor_tests PRIVATE cohort_model PkgConfig::CMOCKA)
endforeach()

function(plant name)
    cmake_parse_arguments(MUTANT "" "SIDE;SOURCE;FROM;TO;CAUGHT_BY" "" ${ARGN})
    set(source ${CMAKE_SOURCE_DIR}/model/assignor/${MUTANT_SOURCE})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(READ ${source} text)
    string(REPLACE "${MUTANT_FROM}" "${MUTANT_TO}" changed "${text}")
    if(changed STREQUAL text)
        message(FATAL_ERROR "mutant ${name}: ${MUTANT_SOURCE} has no '${MUTANT_FROM}' any more")
    endif()
    set(copy ${CMAKE_BINARY_DIR}/mutants/${name}.c)
    file(CONFIGURE OUTPUT ${copy} CONTENT "@changed@" @ONLY)
    add_executable(mutant_${name} ${copy} $<TARGET_OBJECTS:${MUTANT_SIDE}_assignor_tests>)
    set_target_properties(mutant_${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/mutants)
    target_link_libraries(mutant_${name} PRIVATE cohort_model PkgConfig::CMOCKA)
    add_test(NAME mutant_${name} COMMAND mutant_${name})
    set_tests_properties(mutant_${name} PROPERTIES TIMEOUT 60
        PASS_REGULAR_EXPRESSION "FAILED  . ${MUTANT_CAUGHT_BY}")
endfunction()

# range
plant(range_surplus_to_the_last SIDE client SOURCE range.c
    FROM "i < extra" TO "i >= subscriber_count - extra"
    CAUGHT_BY range_gives_the_surplus_to_the_first)
plant(range_one_surplus_too_few SIDE client SOURCE range.c
    FROM "partition_count % subscriber_count" TO "partition_count % subscriber_count - 1"
    CAUGHT_BY range_gives_the_surplus_to_the_first)
plant(range_static_members_last SIDE client SOURCE order.c
    FROM "return is_static(left)" TO "return is_static(right)"
    CAUGHT_BY range_puts_static_members_first)
plant(range_together_takes_the_last SIDE client SOURCE range_racks.c
    FROM "if (place >= chosen) continue" TO "if (place == INT32_MAX) continue"
    CAUGHT_BY range_prefers_the_first_near_all)

# roundrobin
plant(roundrobin_starts_over SIDE client SOURCE roundrobin.c
    FROM "cursor = position[owner[partitions - 1]] + 1" TO "cursor = 0"
    CAUGHT_BY roundrobin_carries_its_position_over)
plant(roundrobin_two_in_a_row SIDE client SOURCE roundrobin.c
    FROM "next = next + 1 == count ? 0 : next + 1" TO "if (p % 2 == 1) next = (next + 1) % count"
    CAUGHT_BY roundrobin_gives_one_each_in_turn)

# sticky, equal and unequal subscriptions
plant(sticky_topic_before_number SIDE client SOURCE sticky_equal.c
    FROM "if (order->number[a] != order->number[b]) return order->number[a] < order->number[b]\;"
    TO "" CAUGHT_BY sticky_keeps_low_numbers_before_first_topics)
plant(sticky_no_surplus SIDE client SOURCE sticky_equal.c
    FROM "held >= equal->high" TO "held > equal->high"
    CAUGHT_BY sticky_keeps_as_much_as_balance_allows)
plant(sticky_unequal_last_by_id SIDE client SOURCE load_heap.c
    FROM "heap->rank[a] < heap->rank[b]" TO "heap->rank[a] > heap->rank[b]"
    CAUGHT_BY sticky_unequal_gives_to_the_least_loaded)
plant(sticky_unequal_moves_from_three_more_on SIDE client SOURCE sticky_improve.c
    FROM "load[owner] > load[least] + 1" TO "load[owner] > load[least] + 2"
    CAUGHT_BY sticky_unequal_moves_from_two_more_on)

# cooperative-sticky
plant(cooperative_contested_at_once SIDE client SOURCE withhold.c
    FROM "(moves || sticky->contested[slot])" TO "moves"
    CAUGHT_BY cooperative_withholds_what_is_contested)
plant(cooperative_equal_generation_is_newer SIDE client SOURCE withhold.c
    FROM "claims->generation < newest[slot]" TO "claims->generation <= newest[slot] + 3"
    CAUGHT_BY cooperative_withholds_from_an_outdated_claim)
plant(cooperative_withholds_nothing_that_moves SIDE client SOURCE withhold.c
    FROM "released != ASSIGN_NOBODY && released != owner" TO "released == owner"
    CAUGHT_BY cooperative_withholds_what_the_holder_releases)

# uniform
plant(uniform_surplus_to_the_last SIDE server SOURCE uniform.c
    FROM "i < surplus" TO "i >= input->member_count - surplus"
    CAUGHT_BY uniform_moves_for_the_sake_of_order)
plant(uniform_one_quota_too_large SIDE server SOURCE uniform.c
    FROM "kept[m] > quota" TO "kept[m] > quota + 1"
    CAUGHT_BY uniform_moves_for_the_sake_of_order)
plant(uniform_unsigned_topic_ids SIDE server SOURCE order.c
    FROM "left->id_high < right->id_high" TO "(uint64_t)left->id_high < (uint64_t)right->id_high"
    CAUGHT_BY uniform_takes_topic_ids_as_signed)
plant(uniform_unequal_level_too_early SIDE server SOURCE uniform_unequal.c
    FROM "start_walk(unequal, topic) <= 1" TO "start_walk(unequal, topic) <= 6"
    CAUGHT_BY uniform_unequal_takes_from_the_most_loaded)
plant(uniform_unequal_last_by_id SIDE server SOURCE uniform_unequal.c
    FROM "order->number[a] < order->number[b]" TO "order->number[a] > order->number[b]"
    CAUGHT_BY uniform_unequal_breaks_ties_by_id)

# the broker's range
plant(server_range_by_id_alone SIDE server SOURCE server_range.c
    FROM "order_members_static_first" TO "order_members_by_id"
    CAUGHT_BY server_range_puts_static_members_first)
plant(server_range_one_partition_short SIDE server SOURCE server_range.c
    FROM "order_partition_count(input, t));" TO "order_partition_count(input, t) - 1);"
    CAUGHT_BY server_range_leaves_no_partition_out)
